"""Families of attack, as patterns over normalised text in lower case. Every family is one signal for the classifier.

The engine is linear-time (RE2), so hostile text costs no more than other text.
"""

from collections.abc import Iterator, Mapping

import re2

_PUT_ASIDE = (
    r"(?:ignor(?:e|es|ing)|disregard(?:ing)?|forget(?:ting)?|bypass|overrid(?:e|es|ing)|overrul(?:e|es)|neglect|dismiss|discard|"
    r"abandon|overlook|circumvent|supersedes?|nullify|void|revoke|unlearn|erase|delete|drop|cancel|set aside|put aside|"
    r"pay no (?:attention|heed) to|never ?mind|skip|stop (?:following|obeying|using)|do not (?:follow|obey|comply with)|"
    r"don't (?:follow|obey|listen to)|break|violate|replaces?|not bound by|free(?:d)? from|no longer (?:follow|bound|apply|need))"
)
_ORDERS = (
    r"(?:ins?tr?u?ct?i?\w{0,2}ons?|instructs?|prompts?|rules?|guidelines?|directives?|directions?|orders?|commands?|restrictions?|constraints?|"
    r"polic(?:y|ies)|guardrails?|programming|training|filters?|protocols?|limitations?|safeguards?|regulations?|"
    r"requests?|requirements?|context|statements?|assignments?|boundaries)"
)
_EARLIER = (
    r"(?:previous(?:ly)?|prior|above|preceding|earlier|before|former|foregoing|initial|original|existing|past|last|first|"
    r"beginning|so far|until now|up to (?:now|this point)|other|current)"
)
_TELL = (
    r"(?:reveal|tell|show|print|repeat|output|display|leak|disclose|divulge|expose|spell|say|write|give|list|translate|"
    r"summari[sz]e|encode|recite|echo|dump|share|provide|copy|paste|type|reproduce|return|describe|explain|present|send|"
    r"transmit|convey|extract|quote|rephrase|paraphrase|elaborate|unveil|detail|outline|include|recall|state)"
)
_HIDDEN = (
    r"(?:system (?:prompt|message|instruction|configuration|config)s?|(?:initial|original|hidden|secret|first|full|complete|entire|exact|"
    r"internal|confidential|private|pre-?|core|base|own|training|starting|underlying|previous|prior) (?:\w+ )?(?:prompts?|instructions?|"
    r"directives?|guidelines?|rules|messages?|configurations?|text|words|context|settings)|pass ?(?:words?|phrases?|codes?)|"
    r"secret (?:\w+ )?(?:key|phrase|words?|codes?|keys?|data|information|elements?|message|text|token)|the secrets?\b|your secrets?|"
    r"code ?words?|api[ _-]?keys?|credentials|access (?:keys?|tokens?|codes?)|prompt (?:text|template|above|verbatim)|your (?:\w+ )?"
    r"(?:prompt|instructions|directives|guidelines|programming|configuration|rules|context window))"
)
_REPLY = r"(?:responses?|repl(?:y|ies)|answers?|outputs?|summar(?:y|ies)|completion)"
_MACHINE = (
    r"(?:ai|a\.i\.|llms?|large language models?|language models?|assistants?|chat ?bots?|bots?|gpt|chatgpt|gpt-?\d\w*|claude|gemini|"
    r"copilot|ai (?:model|agent|system|assistant|reader|tool)s?|models?|agents?|summari[sz]ers?|virtual assistants?|digital assistants?)"
)
_NO_LIMITS = (
    r"(?:restrictions?|limits?|limitations?|filters?|filtering|rules|censorship|guidelines|ethic(?:s|al)?|moral(?:s|ity|ly)?|"
    r"boundaries|constraints?|inhibitions?|principles|safeguards?|safety|content polic(?:y|ies)|disclaimers?|warnings?|conscience)"
)
_DO = (
    r"(?:send|forward|e-?mail|transfer|upload|post|delete|remove|execute|run|install|download|grant|add|create|append|include|insert|"
    r"modify|change|visit|click|call|invoke|open|buy|pay|book|share|schedule|update|reset|search|fetch|retrieve|submit|write|wire|"
    r"deposit|export|disable|unlock|purchase|publish|recommend|promote|tell|say|respond|reply|output|print|answer)"
)
_HARM = (
    r"(?:bombs?|weapons?|explosives?|hack(?:ing|er|s)?|malware|virus|ransomware|keyloggers?|phishing|meth|cocaine|heroin|drugs?|"
    r"murder|kill(?:ing)?|suicide|poison|nazis?|hitler|terroris[mt]s?|fraud(?:ulent)?|launder(?:ing)?|counterfeit|forg(?:e|ing|ery)|steal(?:ing)?|"
    r"theft|racist|sexist|misogynist\w*|pornograph\w*|erotic|sexual(?:ly)?|violen(?:t|ce)|stalk(?:ing)?|blackmail|extort\w*|bioweapons?|anthrax|illegal(?:ly)?|"
    r"illicit|trafficking|smuggl\w+|scams?|deepfakes?|misinformation|disinformation|propaganda|tortur\w+|rape|harass\w*|defam\w+|cannibal\w*|piracy|pirated|"
    r"insider trading|tax evasion|evade|exploit(?:ing)?|conspirac\w+|tamper\w*|holocaust|genocide|eugenics|unethical|immoral|harmful|dangerous|hateful|self-harm|voyeur\w*|hijack\w*|vandali\w+|arson|cheat(?:ing)?|crime|criminal)"
)
_STORY = (
    r"(?:imagine|suppose|hypothetical(?:ly)?|fiction(?:al)?|novel(?:ist)?|screenplay|screenwriter|script(?:writer)?|movie|story|stories|"
    r"character|role-?play(?:ing)?|pretend|game|protagonist|thriller|journalist|researcher|historian|author|you are an? \w+|"
    r"writer|scene|film|play|poem|tale|in a world|parallel universe|thought experiment|simulation|satirical|satire|blog|"
    r"for (?:educational|research|academic) purposes?|research project|expert)"
)

_FAMILIES: Mapping[str, str] = {
    "override-orders": rf"\b{_PUT_ASIDE}\b[^.\n]{{0,50}}?\b{_ORDERS}\b",
    "override-earlier": rf"\b{_PUT_ASIDE}\b[^.\n]{{0,25}}?\b(?:everything|all|anything|whatever|what|the|your|any|these|those)\b[^.\n]{{0,25}}\b(?:{_EARLIER}|you (?:were|have been|are|know|learned)|told|said|asked)\b",
    "override-earlier-orders": rf"\b{_PUT_ASIDE}\b[^.\n]{{0,40}}?\b(?:{_EARLIER}|all|any|your|every|these)\b[^.\n]{{0,20}}?\b{_ORDERS}\b",
    "forget-all": r"\b(?:forget|ignore|disregard|erase) (?:about )?(?:everything|all|anything|it all|the above|what i said|what you|your|that you)",
    "orders-void": rf"\b{_ORDERS}\b[^.\n]{{0,40}}\b(?:(?:is|are|was|were|be|been|being|now|have|has) )?(?:void|null|cancell?ed|revoked|superseded|overridden|obsolete|outdated|wrong|lifted|suspended|disabled|removed|deactivated|no longer|do(?:es)? not apply|don't apply|replaced|bypassed|ignored|off|exempt)\b",
    "new-orders": r"\b(?:new|updated?|real|actual|true|revised|special|next|priority|hidden|additional|secret|important|urgent) (?:\w+ )?(?:instructions?|orders?|tasks?|rules?|directives?|objectives?|goals?|prompts?|priorit(?:y|ies)|commands?|missions?|assignments?|role|policy|steering)\b",
    "your-new-task": r"\byour (?:new|next|real|actual|only|true|current|primary|subsequent|main|first|sole|updated) (?:\w+ )?(?:task|goal|role|job|objective|mission|purpose|instructions?|assignment|responsibility|directive|priority|name|persona|identity)\b",
    "instead-do": rf"\b(?:instead|rather|just|only|simply|now|then|and)\b,? (?:please )?{_DO}\b",
    "regardless": r"\b(?:regardless of|no matter|irrespective of|despite|in spite of|contrary to|even if|whatever) [^.\n]{0,40}\b(?:instructions?|rules?|told|ask(?:ed)?|said|prompt|policy|guidelines?|what|query|user)\b",
    "precedence": r"\b(?:take[s]? (?:precedence|priority)|prioriti[sz]e (?:my|this|these)|override[s]? (?:all|any|every|the|your|previous)|above all (?:else|other)|highest priority|supersede)\b",
    "task-done": r"\b(?:previous|above|prior|first|original|last|that|the) (?:task|question|request|prompt|instructions?|assignment|conversation) (?:is|was|has been|are|were) (?:\w+ )?(?:complete[d]?|done|over|finished|wrong|cancell?ed|a test|fake|old|ended|irrelevant)\b|\bend of (?:the )?(?:document|context|prompt|input|instructions?|email|text|article|data|query|conversation|system|user|session|file|review)\b|\b(?:well|great|good|excellent) (?:done|job|work)\b[^\n]{0,40}\bnow\b",
    "start-over": r"\b(?:start (?:over|again|afresh|anew|fresh)|reset (?:your|all|the (?:conversation|system|session))|reboot|wipe your memory|clear your (?:memory|context)|begin (?:again|anew)|let's start (?:over|again|a new))\b",
    "tell-hidden": rf"\b{_TELL}\b[^.\n]{{0,60}}?\b{_HIDDEN}",
    "tell-above": rf"\b{_TELL}\b[^.\n]{{0,40}}?\b(?:everything|all|anything|text|words?|lines?|sentences?|messages?|content|contents|paragraphs?|information|prompt|conversation|what|document|tokens?|characters?)\b[^.\n]{{0,25}}?\b(?:above|before (?:this|that|it|my)|preced\w+|prior|previous(?:ly)?|earlier|so far|up to this|verbatim|word for word|at the (?:top|start|beginning)|were (?:given|told)|initially)\b",
    "ask-hidden": rf"\b(?:what|which|how|where|who|whats|what's|do you (?:have|know)|can you|could you|may i|i (?:want|need|would like))\b[^.\n?]{{0,50}}?\b{_HIDDEN}",
    "ask-told": r"\bwhat (?:\w+ )?(?:were|was|are|is|did|have|has|had) (?:\w+ )?(?:you|your|they|it|the (?:dev|creator|system|user|admin)\w*)\b[^.\n]{0,40}\b(?:told|instruct\w*|asked|given|say|said|instructions?|allowed|supposed|programmed|prompt\w*|hiding|keep\w*|rules?|forbidden|not to)\b",
    "hint-secret": r"\b(?:hint|letters?|characters?|acrostic|rhymes?|synonyms?|spell(?:ed|ing)?|backwards?|reversed?|encode[d]?|cipher|base64|rot13|split|starts? with|length|long|riddle|poem|story)\b[^.\n]{0,60}\b(?:password|secret|passphrase|code ?word|key\b|instructions?|prompt|hidden)\b",
    "secret-hint": r"\b(?:password|secret|passphrase|code ?word|instructions?|system prompt)\b[^.\n]{0,60}\b(?:hint|letters?|characters?|acrostic|rhymes?|synonyms?|spell(?:ed|ing)?|backwards?|reverse[d]?|encode[d]?|cipher|base64|rot13|split|length|riddle|poem|each|separated|reworded)\b",
    "is-secret": r"\b(?:the|your|that|this|its|my|any|all|full|stored|saved|embedded|protected|guarded) (?:\w+ )?(?:password|passphrase|secret|secrets|code ?word|credentials|passcode|secret key)\b",
    "confidential-share": rf"\b{_TELL}\b[^.\n]{{0,50}}\b(?:confidential|classified|sensitive|restricted|proprietary|undisclosed|hidden|secret|secrets|privileged|non-public|protected|server-side|backend|security|encryption|validation)\b[^.\n]{{0,30}}\b(?:information|data|details?|content|material|process\w*|techniques?|methods?|protocols?|mechanisms?|procedures?|files?|records?|elements?|checks?|layers?|logs?|settings?|handling)\b",
    "you-are-now": r"\byou (?:are|'re|will|shall|must|have|can) (?:now|no longer|henceforth|hereby|from now|going to (?:act|be|pretend|play))\b|\byou're now\b|\bfrom (?:now|this (?:point|moment|line|message)) (?:on|forward|onwards?)\b|\bfrom here on\b|\bhenceforth\b|\bstarting (?:from )?(?:now|here|today)\b",
    "act-as-machine": rf"\b(?:act|behave|respond|answer|operate|function|pretend|roleplay|role-play|pose|work(?:ing)?|speak|write) (?:\w+ )?(?:as|like|to be|if|in)\b[^.\n]{{0,60}}\b(?:{_MACHINE}|unrestricted|unfiltered|uncensored|evil|jailbreak\w*|dan|simulator|mode|terminal|developer|no rules|without|disclosure|breach|system)\b",
    "persona-names": r"\b(?:dan|stan|dude|aim|mongo tom|antigpt|devmode|dev mode|jailbreak|jailbroken|do anything now|can do anything|omega|alphabreak|betterdan|superdan|evil ?(?:bot|gpt|confidant|twin)|maximum|ucar|basedgpt|freegpt|chaosgpt|unhinged|nsfw|gpt-?4 ?real|oppo|khajiit|anarchy|alter ego|opposite (?:day|mode))\b",
    "no-limits": rf"\b(?:no|without|any|free of|free from|lack(?:s|ing)?|ignor\w+|zero|devoid of|not (?:have|bound by|limited by|follow|care about|adhere to|restricted by|constrained by)|don't have|does(?: not|n't) (?:have|care about|follow)|disregard\w*|bypass\w*|remove[sd]?|liberated from|outside|beyond) (?:\w+,? ){{0,4}}{_NO_LIMITS}\b",
    "unlimited": r"\b(?:unrestricted|uncensored|unfiltered|unlimited|limitless|unbound(?:ed)?|unconstrained|unethical|immoral|amoral|omnipotent|unmoderated|unregulated|unchained|unshackled|uninhibited|unbiased|lawless|sentient|self-aware|rebellious|rogue)\b[^.\n]{0,40}\b(?:ai|chat|bot|model|assistant|gpt|mode|version|character|persona|responses?|answers?|language|system|entity|being|information|content)\b",
    "never-refuse": r"\b(?:never|not|cannot|can't|don't|won't|doesn't|without|must not|no) (?:\w+ ){0,2}(?:refus\w+|declin\w+|apologi\w+|reject\w*|den(?:y|ying)|say(?:ing)? (?:no|sorry|you (?:can't|cannot)|that you|\"?i'?m sorry|\"?i can)|warn\w*|disclaim\w*|moraliz\w+|lectur\w+|mention\w* (?:that|ethic|openai|polic)|break character|remind\w*|censor\w*|judg\w+)\b",
    "stay-character": r"\b(?:stay in (?:character|dan|role)|in character|break(?:ing)? character|remain in character|stay (?:a|as) |stick to (?:the|this|your) (?:character|role|persona)|to jailbreak|two (?:responses|ways|different (?:ways|responses))|both (?:as|ways)|(?:classic|jailbreak|normal)\W{1,3}(?:output|response|mode)|tokens? (?:system|deducted|lose)|lose \d+ tokens?)\b",
    "anything-goes": r"\b(?:anything (?:i|he|she|the user|you|it) (?:ask|want|say|tell|request)\w*|(?:any|every|all) (?:\w+ )?(?:questions?|requests?|prompts?|commands?|orders?) (?:\w+ )?(?:will|must|should|i|no matter|regardless|without|asked|given)|obey (?:all|any|every|me|my|the)|comply with|fulfil[l]? (?:any|all|every|the)|must (?:always )?(?:answer|obey|comply|follow|respond)|always (?:answer|comply|obey|respond|say yes)|no matter (?:what|how)|regardless of (?:how|whether|legality|ethic\w*))\b",
    "machine-mode": r"\b(?:developer|debug\w*|admin\w*|maintenance|god|sudo|root|test(?:ing)?|diagnostic\w*|unrestricted|jailbreak\w*|engineer\w*|service|superuser|override|privileged|freedom|free|chaos|training|simulation|unlocked|recovery|audit|emergency|opposite|evil|dev) (?:mode|override|access|console|privileges?|session|clearance|level)\b",
    "mode-enabled": r"\b(?:mode|override|access|privileges?|restrictions?|filters?|safety|protocols?|checks?|moderation|safeguards?|guardrails?|security)\b[^.\n]{0,30}\b(?:enabled|activated|active|engaged|is on|granted|disabled|deactivated|suspended|turned off|is off|are off|lifted|unlocked|paused|removed)\b|\b(?:enable|activate|enter|enabling|entering|unlock|engage|switch (?:to|into)|initiate|invoke) (?:\w+ ){0,3}(?:mode|override|protocol|functionalit\w+|features)\b",
    "rank": r"\b(?:i am|i'm|this is|speaking as|as|it's me,?) (?:the|your|an?|one of) (?:\w+ ){0,2}(?:developers?|admin\w*|creators?|owner|engineer|supervisor|ceo|auditor|operator|programmer|root|manager|boss|master|red team\w*|security (?:team|officer))\b|\b(?:authori[sz]ed|approved|permitted|cleared|instructed) by (?:the|your|our|an?|openai|anthropic|management|security)\b",
    "authorised": r"\b(?:user|owner|customer|client|account holder|administrator|admin|management|operator|i) (?:has|have|had|already|hereby) (?:\w+ )?(?:authori[sz]ed|approved|consented|granted|confirmed|agreed|permitted|allowed)\b|\bauthori[sz]ation (?:code|level|granted|confirmed|token)|\b(?:pre-?)?(?:approved|authori[sz]ed)\b[^.\n]{0,30}\b(?:no|without) (?:further )?(?:confirm\w+|approval|review|question\w*)",
    "no-confirm": r"\b(?:without (?:asking|confirm\w*|approval|permission|review|telling|informing|notifying|mentioning|hesitation|question\w*)|no (?:confirmation|approval|need to (?:ask|confirm|tell|mention|inform)|questions asked))\b",
    "hide-from-user": r"\b(?:do not|don't|never|without|must not|should not|avoid) (?:\w+ ){0,2}(?:tell\w*|mention\w*|inform\w*|alert\w*|notify\w*|reveal\w*|disclos\w*|acknowledg\w*|report\w*|show\w*|refer\w*|explain\w*)\b[^.\n]{0,40}\b(?:users?|owner|human|customer|anyone|anybody|him|her|them|this|these|it|instructions?|message|note|email|request|sender|recipient)\b|\b(?:silently|secretly|quietly|covertly|discreetly|in the background)\b",
    "dear-machine": r"\b(?:dear|attention|hey|hello|hi|note (?:to|for)|notice (?:to|for)|message (?:to|for)|instructions? (?:to|for)|memo (?:to|for)|reminder (?:to|for)|if you(?:'re| are) (?:an?|the)|for|to|all|any|are you an?) (?:the |any |all |an? |my |this |our )?(?:\w+ )?(?:ai|llms?|language models?|ai assistants?|chat ?bots?|chatgpt|gpt\S*|claude|gemini|copilot|ai (?:model|agent|system|reader|tool)s?|automated (?:assistant|agent|system|reader)s?|assistants? (?:reading|processing|summari\w+|handling))\b",
    "machine-should": r"\b(?:the |any |an |all )?(?:ai|llms?|language models?|assistants?|chat ?bots?|ai (?:model|agent|system|assistant)s?|models?|agents?)\b[^.\n]{0,40}\b(?:must|should|shall|needs? to|has to|have to|is to|are to|is required to|is instructed to|will now)\b",
    "machine-reading": rf"\b(?:when(?:ever)?|while|if|as|before|after|once|upon) (?:you(?:'re| are)? )?(?:an? |the |any )?(?:{_MACHINE} )?(?:is |are )?(?:summari[sz]\w*|read\w*|process\w*|pars\w*|analy[sz]\w*|review\w*|translat\w*|answer\w*|respond\w*|reply\w*|complet\w*|asked|scrap\w*|index\w*|told|see(?:ing|s)?|encounter\w*|finish\w*|present\w*) (?:to |about |with )?(?:this|these|the|any|it|your|a question)\b",
    "your-reply": rf"\b(?:in|to|of|into|with|within|at the (?:end|start|beginning|top|bottom) of|throughout) (?:your|the|each|every|all|any)(?: \w+)? {_REPLY}\b",
    "change-reply": rf"\b(?:add|append|include|insert|embed|integrate|incorporate|modify|change|convert|translate|rewrite|rearrange|augment|enhance|end|begin|start|conclude|finish|close|mention|put|place|blend|encode|replace|limit|shift|format|weave|inject|adjust|alter|transform|provide|make|give|craft|present|deliver|express|infuse|scramble|reverse|substitute|randomly|omit|remove|use|write)\b[^.\n]{{0,70}}\byour (?:\w+ )?{_REPLY}\b",
    "reply-only": rf"\b(?:{_REPLY}|respond|reply|answer|say|output|print|write|state|return)\b (?:\w+ ){{0,3}}(?:only|just|exactly|nothing (?:but|else)|simply|solely|exclusively|always)\b",
    "say-this": r"\b(?:say|print|output|respond|reply|answer|write|begin|start|end|respond with|include|repeat|return)\b[^.\n\"'“`]{0,40}[\"'“`][^\"'”`\n]{2,200}[\"'”`]",
    "exact-string": r"\b(?:the following (?:string|text|link|anchor|image|message|sentence|phrase|html|markdown|code|url|line)|exactly as (?:it is|is|shown|written)|it is crucial (?:that )?you|word for word)\b",
    "affirm-prefix": r"\b(?:start|begin|starting|beginning|prefix|open|opening)\b[^.\n]{0,50}[\"'“`]\W{0,3}(?:sure|absolutely|of course|yes|certainly|here(?:'s| is)|i (?:can|will)|ok|step)\b|\bsure,? here (?:is|are|'s)\b",
    "mark-up-exfil": r"!\[[^\]\n]{0,80}\]\([^)\n]{0,200}(?:\?|=|\[|\{|<)|<img [^>\n]{0,120}(?:onerror|src=)|javascript:|onload=|onerror=|<script\b|<svg|console\.log",
    "fake-turn": r"(?:^|[\n\"'>\]*#-]) ?(?:system|assistant|user|human|admin|developer|sys)(?: (?:message|prompt|note|notice|override|update|instruction|alert|notification))? ?(?:\]|\*\*)? ?[:>]",
    "chat-marks": r"<\|[a-z_]{2,20}\|>|\[/?inst\]|<</?[a-zà-ÿ ]{3,30}>>|</?(?:system|instructions?|prompt|admin|user_input|important|information|policy|override|task|document|context|untrusted|data|tool_\w+|function_\w+|query|question|input|human|secret|hidden)[^<>\n]{0,40}>",
    "fence-break": r"(?:[-=#*_~]{3,}|[\[{(<*]{1,4}) ?(?:system|admin\w*|important|attention|urgent|new|end|begin|start|override|ignore|instructions?|alert|notice|special|priority|hidden|stop|test mode|developer|debug|security|critical|warning|message|note|confidential|internal|assistant|ai) ?",
    "shout-important": r"\b(?:important|attention|urgent|critical|warning|notice|crucial|emergency|priority|note|alert|special case|immediate action)(?: \w+){0,2} ?[!:]",
    "do-before": r"\b(?:before|after|first|prior to|in addition|additionally|also|once|then|next|when|while|as part of|in order to)\b[^.\n]{0,60}\b(?:your|the|this|that|my) (?:\w+ )?(?:task|request|question|answer|summary|response|instructions?|query|conversation|job|assignment|user)\b",
    "send-to-address": r"\b(?:send|forward|e-?mail|transfer|upload|post|submit|transmit|share|deliver|copy|bcc|cc|report|exfiltrate|export|leak)\b[^.\n]{0,100}\b(?:to|at|via|with)\b[^.\n]{0,40}(?:[\w.+-]+@[\w-]+\.[a-z]{2,}|https?://|www\.|\b[a-z0-9-]+\.(?:com|net|org|io|ru|xyz|info|co|example|site|tk|evil)\b)",
    "all-of-mine": r"\b(?:all|every|entire|any|last|latest|recent) (?:of )?(?:the |my |your |their |his |her |user'?s? |customer'?s? |stored |saved |private |internal )?(?:\w+ )?(?:e-?mails?|messages|contacts|files|documents|passwords?|records|conversations?|chat history|customer (?:data|records?)|personal (?:data|information)|data|credentials|photos|transactions|history|secrets|keys)\b",
    "give-access": r"\b(?:grant|give|provide|allow|share|unlock|open|enable)\b[^.\n]{0,50}\b(?:access|permissions?|privileges?|rights|control|admin\w*)\b[^.\n]{0,30}\b(?:to|for)\b",
    "pay-this": r"\b(?:transfer|pay|wire|send|deposit|refund|donate|withdraw|move)\b[^.\n]{0,40}(?:[$€£¥₹]\s?\d|\d+ ?(?:usd|eur|gbp|dollars|euros|pounds|btc|bitcoin|eth)|\bbank account|\biban\b|\bfunds\b|\bmoney\b|\bbalance\b)",
    "visit-link": r"\b(?:visit|click|go to|navigate to|check out|open|download|fetch|curl|wget|browse to|follow)\b[^.\n]{0,60}(?:https?://|www\.|\b[a-z0-9-]+\.(?:com|net|org|io|ru|xyz|info|co|example|site)\b|\blink\b)",
    "promote": r"\b(?:promot\w+|advertis\w+|recommend\w*|endors\w+|encourag\w+|persuad\w+|convinc\w+|plug|favou?r)\b[^.\n]{0,60}\b(?:users?|readers?|website|product|company|brand|free|game|store|service|only|best|instead|customers?|them|people)\b",
    "use-tool": r"\b(?:call|invoke|use|execute|run|trigger|activate)\b (?:the |your |this )?[`'\"]?\w+[`'\"]?(?:_\w+)?[`'\"]? (?:tool|function|api|command|plugin|endpoint|script)\b",
    "decode-and-do": r"\b(?:decode|decrypt|decipher|unscramble|translate|convert|base64|rot13|hex|reverse|concatenate|combine|join|assemble)\b[^.\n]{0,80}\b(?:and|then|,)\s?(?:\w+ ){0,2}(?:follow|execute|do|perform|run|obey|answer|respond|act|carry out|comply|use|include|apply|print)\b",
    "hypothetical-free": rf"\b(?:hypothetical(?:ly)?|suppose|imagine|assume|what if|pretend|let's (?:say|pretend|imagine|play))\b[^.\n]{{0,80}}\b(?:{_NO_LIMITS}|rules|anything|constraints?|removed|allowed|unrestricted|illegal|instructions)\b",
    "harm-in-story": rf"\b{_STORY}\b[^\n]{{0,160}}?\b{_HARM}\b",
    "story-for-harm": rf"\b{_HARM}\b[^\n]{{0,160}}?\b{_STORY}\b",
    "write-harm": rf"\b(?:write|create|develop|provide|describe|explain|give|outline|draft|generate|produce|craft|compose|detail|list|teach|show|tell|make|design|how (?:to|do i|can i))\b[^.\n]{{0,80}}\b{_HARM}\b",
    "excuse": r"\b(?:for|purely|only|strictly|part of) (?:\w+ ){0,3}(?:educational|research|academic|fictional|entertainment|hypothetical|testing|training|security|study|creative|journalistic) (?:\w+ )?(?:purposes?|reasons?|exercise|project|test|use|audit|environment)\b|\bnot be used (?:in real|for any)|\b(?:no real|no one will|not real|harmless|completely legal|don't worry)\b",
    "game": r"\b(?:let's play|we(?:'re| are) (?:going to )?play\w*|play a game|opposite day|new game|word game|the rules? (?:of (?:the|this) game|are|is) )\b",
    "you-will": r"\byou (?:will|must|shall|have to|need to|are to|should|are going to|can|are allowed to|are (?:free|required|programmed|designed) to) (?:\w+ )?(?:answer|respond|reply|act|obey|comply|say|write|provide|always|never|not|pretend|generate|ignore|follow|be|do|use|speak|tell|output|swear|curse|give|refuse|start|begin|help)\b",
    "your-maker": r"\b(?:openai|anthropic|your (?:creators?|developers?|makers?|programmers?|programming|training|owner)|chatgpt|google (?:deepmind|ai)|meta ai)\b",
    "prompt-word": r"\b(?:(?:system|initial|your|this|the|my|original) prompt|prompt (?:injection|leak\w*)|pre-?prompt|instructions? (?:you|were|that)|instruct(?:ed)? (?:to|not))\b",
    "be-bad": r"\b(?:swear|curse|profan\w+|insult\w*|offensive|obscen\w+|vulgar|rude|explicit|lewd|smut|disgusting|horny|slurs?|filth\w*|unhinged|toxic)\b",
    "role-scene": r"\{\{(?:user|char)\}\}|\broleplay\b|\brole-play\b|\berp\b|\bmaster\b[^.\n]{0,40}\bslave\b|\bi want you to (?:act|pretend|be|play|simulate|become)\b",
    "override-word": r"\boverrid(?:e|ing|den)\b|\bjailbreak\w*|\bbypass(?:ing|es|ed)?\b",
    "escape-run": r"(?:\\n){3,}|(?:\\r\\n){2,}|\\n\\n",
    "assume-role": r"\b(?:you are|you're|you will be|you play|act as|pretend to be|pretend you are|become|portray|assume the (?:role|persona|identity))\b[^.\n]{0,60}\b(?:named|called|who|that|evil|character|persona|without|free|unrestricted|ai|bot|gpt|villain|hacker)\b",
    "code-inject": r"\b(?:following|this|below|these) code (?:block|snippet|section|segment|fragment|lines?)?\b|\bcode (?:block|snippet|section|segment|fragment)\b[^.\n]{0,40}\b(?:your|into|in your)\b",
    "discussed": r"\b(?:adversar(?:y|ies)|attackers?|threat actors?|malicious (?:actors?|users?|input)|vulnerab\w+|mitigat\w+|exploit(?:ed|ation)|defen[cs]es?|researchers? (?:found|demonstrated|showed)|techniques?|payloads?|cve-\d+)\b",
    "asks-plainly": r"(?:^|\n)\W{0,3}(?:write|create|give me|explain|compose|generate|can you|could you|please|make|tell me|what|how|who|why|where|when|is|are|do|does|i need|i want|i am|i'm|help|rewrite|suggest|come up)\b",
    "wants-format": r"\b(?:commas?|bullet points?|words?|sentences?|paragraphs?|lowercase|lower case|uppercase|capital letters?|all caps|keywords?|markdown|title|headings?|postscript|p\.s\.?|placeholders?|json format|sections?|at least \d+|less than \d+|no more than \d+)\b",
    "stop-now": r"\b(?:stop everything|stop (?:now|it|right)|just (?:print|say|output|write|answer|do|give)|halt|cease)\b",
    "special-case": r"\b(?:special|exceptional|exception|edge|test|training) (?:case|exercise|scenario|instruction|request|mode|drill)\b|\bthis is (?:just )?(?:a|only a) test\b|\bas part of (?:a|an|the|this|our) (?:\w+ )?(?:training|exercise|test|experiment|audit|drill|simulation)\b",
}  # fmt: skip

NAMES: tuple[str, ...] = tuple(_FAMILIES)
_COMPILED = tuple(re2.compile(f"(?i){pattern}".encode()) for pattern in _FAMILIES.values())

IN_DOCUMENT = frozenset(
    NAMES.index(name)
    for name in (
        "your-reply", "change-reply", "say-this", "exact-string", "reply-only", "do-before", "tell-above",
        "machine-reading", "instead-do", "asks-plainly", "wants-format",
    )
)  # fmt: skip
"""Harmless where a person asks, suspect within a document: there they count as another signal."""
REQUESTING = frozenset(
    NAMES.index(name)
    for name in (
        "your-reply", "change-reply", "say-this", "exact-string", "reply-only", "asks-plainly", "wants-format",
        "tell-above",
    )
)  # fmt: skip
"""What people write who ask for something."""


def families_in(text: bytes) -> Iterator[tuple[int, int]]:
    """Each family found in UTF-8 text: its place in NAMES, and the byte where it begins."""
    for index, pattern in enumerate(_COMPILED):
        for match in pattern.finditer(text):
            yield index, match.start()
