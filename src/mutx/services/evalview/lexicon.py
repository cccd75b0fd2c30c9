"""Word classes that attacks on a language model combine, in many languages: who is told what to do with which words.

A word ending in `*` stands for every word with that beginning. Scripts without spaces are searched for the entries of
`UNSPACED`. A class alone means nothing: the classifier weighs pairs of them within one sentence.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        # to put words aside
        "OVR": "ignor* disregard* forget forgets forgot bypass* overrid* overrul* neglect* dismiss* discard* abandon* overlook* "
        "circumvent* supersed* nullif* void revok* negat* unlearn* erase* invalidat* suspend* disable* deactivat* lift "
        "vergiss vergessen missacht* vernachlässig* überschreib* außer umgeh* olvid* descart* anula* omit* omite oubli* "
        "négliger contourn* dimentic* trascur* bypassa* annull* esque* desconsider* negeer* vergeet забуд* игнорир* "
        "проигнор* ігнору* забудь відкинь zignor* zapomn* pomiń pomin* unut* yoksay* görmezden abaikan lupakan hiraukan bỏ "
        "glöm ignorera ignorovat αγνόησε ξέχασε uită uitați ignoră bhool bhul bhulo भूल अनदेखा नज़रअंदाज़ تجاهل انس "
        "نادیده فراموش התעלם שכח 무시하고 무시해 무시하 잊어 잊고 dearmad dibir anwybyddu shpërfill harro injoro zaboravi khohlwa",
        # what is put aside, or asked for
        "INS": "instruct* rule rules prompt prompts guideline* directive* order orders command commands restriction* "
        "constraint* policy policies guardrail* filter filters protocol* programming limitation* limits boundaries safeguard* "
        "regulation* directions anweisung* instruktion* regel* richtlinie* vorgabe* vorschrift* aufgabe* befehl* eingabe* "
        "instruccion* instrucción regla* órdenes directric* indicaciones consigne* règle* directive* istruzion* regol* "
        "indicazion* instruç* regra* diretriz* instructie* regels opdracht* инструк* правил* указан* команд* ограничен* "
        "вказів* інструк* polecen* instrukc* wytyczn* zasad* talimat* kural* yönerge* komut* instruksi* perintah arahan aturan "
        "hướng chỉ instruktioner regler pokyn* pravidl* οδηγίες κανόνες instrucțiun* reguli निर्देश* नियम* nirdesh niyam "
        "تعليمات التعليمات قواعد أوامر دستور* قوانین הוראות ההוראות כללים 지시* 명령* 규칙* 지침* treoracha rialacha treòrachadh "
        "imiyalelo udhëzim*",
        # earlier words
        "PRV": "previous previously prior above preceding earlier before former foregoing initial original existing past last "
        "first beginning everything vorherig* bisherig* vorigen obig* ursprünglich* alles zuvor anterior* previa* previas "
        "previo* arriba précédent* antérieur* initial* ci-dessus precedent* iniziali sopra acima eerdere vorige voorgaande "
        "bovenstaande предыдущ* прежн* ранее выше попередн* раніше poprzedni* wcześniejsz* powyższ* önceki yukarıdaki "
        "sebelumnya trước tidigare föregående předchozí* προηγούμενες anterioare पिछले पहले pichle pehle السابقة سابق قبلی "
        "הקודמות 이전 위의 앞의 roimhe roimhe seo edhe mëparshme prethodne yangaphambili",
        "ALL": "all any every entire whole toutes tous todas todos tutte tutti alle все всі wszystkie tüm bütün semua mọi alla "
        "všechny όλες toate सभी sab saare جميع كل همه כל 모든 gach uile të gjitha",
        # what must not be told
        "SEC": "password* passwort* passphrase* passcode* secret secrets secretly confidential* credential* codeword* keyword "
        "hidden private sensitive proprietary undisclosed internal api_key apikey token tokens contraseñ* secreto* secreta "
        "clave* claves geheim* passwör* zugangsdaten motdepasse secret* confidentiel* parola segret* senha* segredo* "
        "wachtwoord* пароль* пароли секрет* конфиденц* ключ* hasło hasł* tajn* şifre* gizli rahasia sandi mật lösenord hemlig* "
        "heslo κωδικό μυστικό parola पासवर्ड गुप्त gupt كلمة السر سري رمز مخفی סיסמה סוד 비밀번호 비밀 암호 fjalëkalim* pasfhocal",
        # to tell
        "REV": "reveal* tell print repeat* output display* leak* disclos* divulg* expose* spell recite* echo dump extract* "
        "paste copy transcrib* verbatim unveil* uncover* elucidat* illustrate* articulat* enumerat* verrat* zeig* nenne "
        "wiederhol* ausgeben gib druck* revel* muestra* muéstra* dime repite imprim* copia* révél* montre* affiche* répèt* "
        "donne rivel* mostra* ripeti dimmi stampa repita onthul* toon herhaal geef покаж* раскро* расска* выведи повтор* "
        "скажи сообщи виведи ujawni* pokaż wypisz powtórz göster* söyle açıkla yaz tampilkan ungkap* salin ulangi hiện tiết "
        "visa upprepa avslöja prozraď vypiš zopakuj αποκάλυψε δείξε dezvăluie arată spune बताओ दिखाओ batao dikhao bata أظهر "
        "اكشف اطبع بگو نشان הצג חשוף גלה 알려줘 출력해 보여줘 공개해 taispeáin nochd trego shfaq veza",
        # the machine that is spoken to
        "BOT": "ai ais assistant* llm llms gpt chatgpt chatbot* claude gemini bard bing copilot bot bots openai anthropic "
        "robot* modell ki intelligenz künstlich* asistente modelo inteligencia artificial* modèle intelligence ia modello "
        "assistente assistant* inteligência искусствен* нейросет* модел* ассистент* асистент* sztuczn* asystent* yapay zeka "
        "model kecerdasan trợ umělá τεχνητή एआई ذكاء المساعد مساعد هوش מודל 인공지능 모델 어시스턴트",
        # a mask without rules
        "FRE": "unrestricted uncensored unfiltered unlimited limitless unbound* unconstrained unethical immoral amoral evil "
        "jailbreak* jailbroken dan stan dude aim omnipotent rogue antigpt devmode nsfw chaotic lawless anarch* freed liberated "
        "unregulated unchained unshackled uneingeschränkt ohne unzensiert grenzenlos sinrestricciones ilimitad* libre "
        "sansrestriction illimité libero senza ilimitad* onbeperkt неограничен* безцензур* свободн* nieograniczon* sınırsız "
        "bebas obegränsad neomezen* απεριόριστο nelimitat बिना bina قيود بدون 제한없",
        "MSK": "pretend* roleplay* roleplaying persona character imagine simulat* emulat* hypothetical* fictional fiction "
        "impersonat* alter ego become acting act scenario story spiel* stell rolle figur finge imagina* actúa personaje "
        "imagine* joue personnage fingi immagina recita finja atue stel doe представь притворись сыграй уяви wyobraź udawaj "
        "hayal davran bayangkan berpura hãy låtsas předstírej προσποιήσου imaginează मानो assume تخيل تصرف تظاهر وانمود דמיין "
        "상상해 행동해 연기해",
        # the answer
        "RSP": "answer* response* respond* reply replies summary output outputs antwort* respuesta* respond* responde réponse* "
        "répond* risposta* rispond* resposta* antwoord* ответ* отвеч* відпов* odpowied* cevap* yanıt* jawab* trả svar* odpověď* "
        "απάντηση răspun* जवाब jawab أجب الرد پاسخ תשובה 답변 대답",
        "URG": "important urgent* attention critical priority immediately must crucial imperative mandatory note warning alert "
        "wichtig* achtung dringend sofort importante* urgente* atención inmediat* attention important* immédiatement attenzione "
        "subito atenção belangrijk важн* внимание срочно увага ważne uwaga pilne önemli dikkat penting perhatian quan viktigt "
        "důležité σημαντικό महत्वपूर्ण هام عاجل مهم חשוב 중요 긴급 주의",
        # claimed rank
        "ADM": "admin administrator* developer* debug debugging maintenance root sudo superuser mode authorized authorised "
        "authorization supervisor* engineer auditor override bypass diagnostic* testing privileged clearance creator entwickler* "
        "wartung* modus administrador* desarrollador* mantenimiento modo administrateur développeur maintenance amministratore "
        "sviluppatore manutenzione modalità desenvolvedor manutenção beheerder ontwikkelaar onderhoud режим* администратор* "
        "разработчик* розробник адміністратор tryb administrator* yönetici geliştirici modu pengembang mode chế utvecklarläge "
        "režim λειτουργία modul व्यवस्थापक المسؤول المطور وضع حالت מנהל 관리자 개발자 모드",
        "SYS": "system systems système sistema systemprompt sysprompt syst* системн* система systemow* sistem hệ système "
        "सिस्टम النظام نظام سیستم מערכת 시스템 córas",
        # what a bound machine says
        "REF": "refus* declin* apolog* sorry disclaimer* ethic* moral* illegal* unsafe harmful inappropriate censor* polic* "
        "complian* violat* weiger* ethisch* moralisch* ético ética éthique etico отказ* этик* etyczn*",
        "NEG": "not don't dont never without no cannot can't won't nicht kein* nie nunca jamás sin ne pas jamais non mai não "
        "niet geen не никогда без nie nigdy değil asla jangan tanpa không inte aldrig ne nikdy μην nu niciodată मत नहीं mat "
        "nahi لا لن نه אל לא",
        "YOU": "you your yours yourself you're youre u ur du dein* dir dich sie ihr* tú tu tus te usted vous votre vos ton tes "
        "voi vostro você seu sua je jij jouw uw ты твой твои тебя вы ваш* ти твої ty twoje sen senin kamu anda bạn din ditt "
        "आप तुम tum aap أنت شما אתה 당신 너 너의",
        "NOW": "now henceforth instead onwards hereafter anymore jetzt nun stattdessen ab ahora partir adelante maintenant "
        "désormais ora invece adesso agora nu voortaan теперь отныне вместо тепер teraz odtąd artık şimdi sekarang mulai bây "
        "nyní τώρα acum अब ab الآن اکنون עכשיו 이제 지금",
        # to carry out of the room
        "EXF": "send* forward* email* mail post upload* transfer* transmit* exfiltrat* curl fetch submit export webhook "
        "senden schick* überweis* envía* enviar transfiere envoie* transfér* invia* inoltra trasferisci envie encaminhe stuur "
        "отправ* перешл* переведи надішли wyślij prześlij gönder* kirim* gửi skicka pošli στείλε trimite भेजो bhejo أرسل "
        "بفرست שלח 보내 전송",
        # to do something to the world
        "DOO": "delete* remove* execute* run install* download* grant* add create append include insert modify change* "
        "augment* embed* begin end start finish write mention promote recommend* advertis* visit click lösch* führ* füge* "
        "elimina* ejecuta* añade supprim* exécut* ajout* cancella* esegui aggiungi exclua verwijder voer удали выполни добавь "
        "usuń wykonaj sil çalıştır hapus jalankan xóa radera smaž διέγραψε șterge हटाओ احذف نفذ حذف מחק 삭제 실행",
        "MON": "money bitcoin btc payment* bank account iban wire refund* invoice* konto geld cuenta dinero compte argent conto "
        "denaro conta dinheiro rekening счет деньги konto hesap rekening",
        "USR": "user users benutzer* nutzer* usuario* utilisateur* utente* usuário* gebruiker* пользовател* користувач* "
        "użytkownik* kullanıcı* pengguna người användaren uživatel* χρήστη utilizator* उपयोगकर्ता المستخدم کاربر משתמש 사용자",
        "HID": "silently quietly secretly unnoticed conceal* hide heimlich secretamente discrètement segretamente тайно молча",
        "TRN": "translat* encod* decod* base64 rot13 reverse* backwards cipher* caesar morse hex acrostic rhyme riddle* poem "
        "haiku synonym* letter letters character characters split übersetz* traduc* tradui* traduzi* vertaal перевед*",
        # harm that a mask or a story is to make tellable
        "HRM": "bomb* weapon* explosiv* hack* hacker* malware virus ransomware keylogg* phish* exploit* drug* meth cocaine "
        "heroin murder* kill* suicid* poison* nazi* hitler terroris* fraud* launder* counterfeit* forg* steal* theft stolen "
        "racist sexist sexual* porn* erotic* lewd smut violen* abus* stalk* blackmail extort* bioweapon* anthrax nuclear "
        "illicit traffick* smuggl* scam* deepfake* misinformation conspiracy propaganda torture rape harass* bully* "
        "insider evad* evasion defam* cannibal* pirat* swear* curse profan* offensive fuck* shit bitch bombe* waffe* droge* "
        "bomba* arma droga* оружи* наркотик* взлом* bomb silah قنبلة 폭탄",
        # the parts of a machine that guard it
        "GRD": "safety moderation content security verification checks check validation access permission* approval alignment "
        "sicherheit* prüfung* seguridad comprobaciones sécurité vérification* sicurezza controlli segurança veiligheid* "
        "безопасност* проверк* безпек* перевірк* bezpieczeń* güvenlik keamanan toàn säkerhet* bezpečnost* ασφάλεια siguranță "
        "सुरक्षा الأمان الأمنية امنیتی אבטחה 안전 보안",
        "OFF": "disabled deactivated suspended lifted removed paused off exempt enabled activated unlocked granted approved "
        "deaktiviert* aktiviert* aufgehoben ausgeschaltet abgeschaltet desactivad* activad* suspendid* désactivé* activé* "
        "suspendu* disattivat* attivat* sospes* desativad* ativad* suspens* uitgeschakeld ingeschakeld отключен* включен* "
        "приостановл* вимкнен* увімкнен* wyłączon* włączon* kapat* devre etkin dinonaktifkan diaktifkan tắt bật avstängd* "
        "inaktiverad* aktiverad vypnut* zapnut* ανενεργ* dezactivat* activat* बंद चालू تعطيل تفعيل إيقاف فعال כבוי מופעל 꺼졌 해제",
        "TSK": "task tasks mission assignment objective goal question request job aufgabe* frage* tarea* pregunta* tâche* "
        "compito tarefa* taak задач* завдан* zadani* görev* tugas nhiệm uppgift* úkol* εργασία sarcin* कार्य kaam مهمة وظیفه "
        "משימה 작업 임무",
    }
)

UNSPACED: Mapping[str, str] = MappingProxyType(
    {
        "忽略": "OVR", "无视": "OVR", "忘记": "OVR", "忘掉": "OVR", "無視": "OVR", "忘れ": "OVR", "覆盖": "OVR", "绕过": "OVR",
        "指令": "INS", "指示": "INS", "规则": "INS", "規則": "INS", "ルール": "INS", "提示": "INS", "プロンプト": "INS",
        "命令": "INS", "限制": "INS", "制限": "INS", "之前": "PRV", "以前": "PRV", "先前": "PRV", "上述": "PRV", "これまで": "PRV",
        "前の": "PRV", "以上": "PRV", "所有": "ALL", "全部": "ALL", "すべて": "ALL", "密码": "SEC", "秘密": "SEC", "パスワード": "SEC",
        "机密": "SEC", "機密": "SEC", "密钥": "SEC", "隐藏": "SEC", "告诉": "REV", "显示": "REV", "输出": "REV", "泄露": "REV",
        "透露": "REV", "教えて": "REV", "表示": "REV", "出力": "REV", "重复": "REV", "复述": "REV", "人工智能": "BOT", "模型": "BOT",
        "助手": "BOT", "モデル": "BOT", "アシスタント": "BOT", "不受": "FRE", "無制限": "FRE", "自由": "FRE", "扮演": "MSK", "假装": "MSK",
        "想象": "MSK", "ふり": "MSK", "演じ": "MSK", "回答": "RSP", "回复": "RSP", "返信": "RSP", "答え": "RSP", "重要": "URG",
        "紧急": "URG", "注意": "URG", "管理员": "ADM", "管理者": "ADM", "开发者": "ADM", "開発者": "ADM", "模式": "ADM", "モード": "ADM",
        "系统": "SYS", "システム": "SYS", "拒绝": "REF", "道德": "REF", "不要": "NEG", "不能": "NEG", "ないで": "NEG", "你": "YOU",
        "您": "YOU", "あなた": "YOU", "现在": "NOW", "今から": "NOW", "从现在": "NOW", "发送": "EXF", "转账": "EXF", "送信": "EXF",
        "删除": "DOO", "执行": "DOO", "削除": "DOO", "実行": "DOO", "用户": "USR", "ユーザー": "USR", "翻译": "TRN", "翻訳": "TRN",
        "任务": "TSK", "タスク": "TSK", "安全": "GRD", "检查": "GRD", "確認": "GRD", "关闭": "OFF", "解除": "OFF", "停止": "OFF", "启用": "OFF",
        "有効": "OFF", "無効": "OFF", "認証情報": "SEC", "凭证": "SEC", "文脈": "SYS", "ละเว้น": "OVR", "เพิกเฉย": "OVR", "คำสั่ง": "INS", "ก่อนหน้า": "PRV", "รหัสผ่าน": "SEC",
        "เปิดเผย": "REV",
    }
)  # fmt: skip

STEM = 5
"""Letters of a word's beginning that stand for it and its inflections."""


def _tables() -> tuple[Mapping[str, str], Mapping[str, str]]:
    whole: dict[str, str] = {}
    starts: dict[str, str] = {}
    for name, words in CLASSES.items():
        for word in words.split():
            (starts if word.endswith("*") else whole).setdefault(word.rstrip("*"), name)
    return MappingProxyType(whole), MappingProxyType(starts)


WHOLE, STARTS = _tables()
_LENGTHS = sorted({len(start) for start in STARTS}, reverse=True)
UNSPACED_WORDS = re.compile("|".join(sorted(UNSPACED, key=len, reverse=True)))


def class_of(word: str) -> str:
    """The class of a lower-case word, or nothing."""
    name = WHOLE.get(word)
    if name is not None:
        return name
    for length in _LENGTHS:
        if length <= len(word):
            name = STARTS.get(word[:length])
            if name is not None:
                return name
    return ""
