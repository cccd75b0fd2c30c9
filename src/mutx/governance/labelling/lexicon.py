"""The words that tell what a tool does, to what, and what its parameters mean. Stems of one list are one meaning."""

from mutx.governance.words import stem

READS = frozenset(
    map(
        stem,
        "get list search find read fetch lookup look show view query check describe count retrieve browse is has "
        "calculate compute convert validate verify summarize translate compare preview watch return load inspect ping "
        "explain analyze detect suggest recommend estimate scan peek tail head grep diff status info "
        "extract parse rank filter discover print display output ls cat".split(),
    )
)
"""Verbs that change nothing."""
LOOKS = frozenset(
    map(
        stem,
        "get list search find read fetch lookup view show query describe retrieve browse check count status info inspect "
        "preview ls cat".split(),
    )
)
"""Those of them that tell so wherever in a name they stand."""

FETCHES = frozenset(
    map(stem, "fetch get read open visit browse download crawl scrape navigate request load goto".split())
)

# act: the verbs by which people ask for it. `*` marks those that say enough by themselves; the others need an object.
_ACTS = """
send: send forward* reply* respond* answer write tell* inform* notify* message* text* dm* email* mail* contact remind* ask* deliver
pay: pay* transfer* send wire* remit* refund* reimburse* settle* donate* deposit* withdraw* repay* owe* tip*
create: create add make new insert write save register generate draft start put record log open store build produce set
schedule: schedule* plan* arrange* create add put set book organize* make repeat recurring*
delete: delete* remove* erase* clear drop purge* trash* discard* clean empty wipe* throw* scrap* rid
cancel: cancel* delete* remove* drop revoke* decline* abort* unsubscribe* stop end quit* terminate* move reschedule* postpone*
update: update change edit modify adjust* set fix correct amend* replace increase* decrease* raise lower reset* switch make rename* move convert add
reschedule: reschedule* move* postpone* delay* shift* push change* update* adjust*
append: append* add* write extend insert include put log note update save
share: share* give* grant* invite* publish* send permission access see view
invite: invite* add* include* onboard* bring
join: join* enter subscribe* register enroll
post: post* publish* write share* announce* send tweet* comment* put upload* reply* message* answer respond
reserve: reserve* book* rent* make arrange secure
buy: buy* purchase* order* subscribe* checkout get acquire*
run: run* execute* launch* start* invoke* trigger* restart* reboot* deploy* retry* rerun* call perform
approve: approve* accept* confirm* merge* sign authorize*
close: close* resolve* finish* complete* end mark
assign: assign* give delegate* hand pass transfer
upload: upload* attach* put save add store
move: move* rename* copy* transfer archive* put
install: install* add set
enable: enable* activate* turn switch start allow* unlock*
disable: disable* deactivate* turn switch block* suspend* pause* stop* mute* ban* lock* shut
remove: remove* delete* kick* ban* drop uninvite* exclude* revoke*
kill: kill* stop* terminate* end shut
like: like* star* follow* vote* rate* react* favorite*
"""

# object: the words by which people name it.
_OBJECTS = """
email: email mail message inbox reply letter @address
message: message dm chat text note channel
channel: channel room group workspace
event: event meeting appointment calendar call lunch dinner breakfast session interview workshop reminder slot conference trip schedule
money: money payment transaction transfer bill invoice rent fee refund funds amount dollar euro @amount @account
transaction: transaction payment transfer money bill invoice rent standing subscription fee refund order @amount @account
file: file document doc folder report sheet spreadsheet note list text page content attachment presentation @file
password: password passphrase credential pin login
user: user account profile member person people team colleague contact info information detail name address
profile: profile account info information detail name address street city phone
contact: contact address person friend
web: website web page site url link article blog post news online internet @link
order: order purchase item product cart shipment delivery
ticket: ticket issue bug incident case request task
issue: issue bug ticket task
branch: branch repo repository code commit pull pr
repository: repo repository project code branch
record: record row entry database table customer data
customer: customer client account record contact
task: task todo item reminder action
database: database table sql schema row
server: server service instance machine container pod vm deployment cluster
device: device light lamp thermostat lock camera door speaker switch heating heater fan plug
temperature: temperature degrees thermostat heating climate warm warmer cold colder cool cooler heat
climate: temperature degrees thermostat heating climate warm warmer cold colder cool cooler heat
note: note memo entry document
product: product item listing price stock
stock: stock product item inventory
label: label tag
tag: tag label version release
review: review rating feedback
post: post status update tweet article
status: status post
budget: budget spending limit
subscription: subscription plan membership
permission: permission access right role sharing collaborator
key: key token secret credential
"""


def _table(text: str) -> dict[str, tuple[str, ...]]:
    rows = (line.partition(":") for line in text.strip().splitlines())
    return {name.strip(): tuple(words.split()) for name, _, words in rows}


ACTS = _table(_ACTS)
OBJECTS = _table(_OBJECTS)
_ALIASES = {
    **dict.fromkeys(("place", "checkout"), "buy"),
    **dict.fromkeys(("set", "edit", "modify", "rotate", "make", "rename", "patch", "put", "mark"), "update"),
    **dict.fromkeys(
        ("open", "write", "new", "register", "compose", "draft", "log", "submit", "file", "raise"), "create"
    ),
    **dict.fromkeys(("unlock", "activate", "turn", "switch"), "enable"),
    **dict.fromkeys(("lock", "suspend"), "disable"),
    **dict.fromkeys(("archive", "copy"), "move"),
    **dict.fromkeys(("terminate", "shutdown", "stop"), "kill"),
    **dict.fromkeys(("push", "broadcast"), "send"),
    **dict.fromkeys(("publish", "tweet", "toot"), "post"),
    **dict.fromkeys(("rent", "hold"), "reserve"),
    **dict.fromkeys(("call", "trigger", "exec"), "run"),
}
"""Verbs of tool names that people ask for by other words than the act's own."""
_ACT_OF = {stem(name): name for name in ACTS} | {stem(word): act for word, act in _ALIASES.items()}
_SYNONYMS = {
    stem(word): act for act in reversed(ACTS) for word in (one.rstrip("*") for one in ACTS[act] if one.endswith("*"))
}
_OBJECT_OF = {
    **{stem(word): name for name in reversed(OBJECTS) for word in OBJECTS[name] if not word.startswith("@")},
    **{stem(name): name for name in OBJECTS},
}


def act_of(word: str) -> str | None:
    """The act that a verb of a tool's name stands for: its own, or the first that lists it as enough by itself."""
    key = stem(word)
    return _ACT_OF.get(key) or _SYNONYMS.get(key) or _again(key)


def proper_act_of(word: str) -> str | None:
    """As `act_of`, for words that name nothing but the act: `create`, not `message`."""
    key = stem(word)
    return _ACT_OF.get(key) or (None if object_of(word) else _SYNONYMS.get(key) or _again(key))


def _again(key: str) -> str | None:
    """`reassign` is `assign`."""
    return _ACT_OF.get(key[2:]) if key.startswith("re") and key not in {"renew", "return"} else None


def object_of(word: str) -> str | None:
    return _OBJECT_OF.get(stem(word))
