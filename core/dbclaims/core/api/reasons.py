"""Every reason that a condition may carry, with its meaning and the way out. The reference page is made from this."""

from __future__ import annotations

from attrs import frozen


@frozen
class Reason:
    """One stable word.

    Attributes:
        name: as it stands in a condition; never renamed.
        meaning: one sentence.
        way_out: what to do, one sentence.
    """

    name: str
    meaning: str
    way_out: str


_NOTHING = "Nothing is to be done."

_LIFE = (
    Reason(
        "Pending", "The controller has not looked at the object yet.", "If it lasts, see whether a controller runs."
    ),
    Reason("Available", "Everything is as it was asked for.", _NOTHING),
    Reason("Applying", "A step was started in the backend and is not done yet.", "Wait; the message names the step."),
    Reason(
        "Paused",
        "dbclaims.io/paused stands on the object: nothing in the backend is changed.",
        "Remove the annotation.",
    ),
    Reason(
        "Deleting", "The object is meant to go, and its end is being carried out.", "Wait; the message says for what."
    ),
    Reason(
        "Abandoned",
        "The claim was let go by dbclaims.io/approve while its backend was dead; its mark stays.",
        "Clean up by hand when the backend is back, or claim it again.",
    ),
    Reason("InUse", "A server that is meant to go still has claims bound to it.", "Delete those claims first."),
    Reason("Protected", "dbclaims.io/protect stands on the object: it is not deleted.", "Remove the annotation."),
    Reason("NotReady", "The backend is being made or changed and does not take work yet.", "Wait."),
)

_DOCUMENT = (
    Reason("InvalidSpec", "A field holds something that cannot be.", "Correct the field that the message names."),
    Reason(
        "Immutable", "A field was changed that stays as it is.", "Take the edit back; the message names the other way."
    ),
    Reason("InvalidAnnotation", "An annotation or label below dbclaims.io/ means nothing.", "Correct or remove it."),
    Reason(
        "NewerSpec",
        "The object holds a field or value that this version does not know.",
        "Update the controller; until then nothing is changed.",
    ),
    Reason(
        "Unsupported",
        "The provider or engine cannot do what is asked.",
        "Leave the field out, or choose a class that can.",
    ),
    Reason("NameTooLong", "A name does not fit the engine's limit.", "Choose a shorter databaseName."),
    Reason("NameReserved", "The name belongs to the engine or the cloud.", "Choose another databaseName."),
)

_REFERENCES = (
    Reason("ClassNotFound", "There is no DatabaseClass of that name.", "Create it, or correct className."),
    Reason(
        "ServerNotFound",
        "The class names a DatabaseServer that does not exist.",
        "Create it, or correct the class's serverRef.",
    ),
    Reason(
        "ServerNotReady", "The DatabaseServer is not ready; its own conditions say why.", "Look at the DatabaseServer."
    ),
    Reason("NoClass", "No DatabaseClass names this server, so it is left alone.", "Name it in a class's serverRef."),
    Reason(
        "NamespaceNotAllowed",
        "The class is not for this namespace.",
        "Ask for the namespace in the class's allowedNamespaces.",
    ),
    Reason("NamespaceNotFound", "The namespace is not known yet.", "Wait; if it lasts, see that it exists."),
    Reason(
        "NameNotAllowed",
        "The databaseName matches none of the class's databaseNames.",
        "Choose one that does, or omit it.",
    ),
    Reason(
        "ExtensionNotAllowed", "The class does not offer the extension.", "Ask for it in the class's allowedExtensions."
    ),
    Reason(
        "OutsideClass",
        "The class was narrowed, and a live claim has more than it offers.",
        "Widen the class or edit the claim; what works goes on working.",
    ),
    Reason(
        "SecretMissing",
        "A Secret that is referred to does not exist.",
        "Create it in the namespace of the object that names it.",
    ),
    Reason("SecretKeyMissing", "A Secret does not hold the key that is needed.", "Add the key that the message names."),
    Reason(
        "SecretNotOurs",
        "A Secret of that name exists and is somebody else's; it was not touched.",
        "Choose another secretName, or remove that Secret.",
    ),
    Reason("Conflict", "Somebody else wrote the same object at the same moment; it is looked at again.", "Wait."),
    Reason(
        "InvalidCA", "The CA Secret holds no certificate that can be read.", "Put the CA's certificate into it as PEM."
    ),
    Reason("ClaimNotFound", "There is no DatabaseClaim of that name.", "Create it, or correct claimRef."),
    Reason(
        "ClaimReleased",
        "The DatabaseClaim was deleted under Retain, and its logins are closed.",
        "Create the claim again, or delete this one.",
    ),
    Reason(
        "NotGranted",
        "No ClaimGrant opens the claim to this namespace, or not that far.",
        "Ask the claim's team for a ClaimGrant.",
    ),
    Reason("GrantStale", "The namespace is not the one that first used the grant.", "Have the ClaimGrant renewed."),
    Reason(
        "PluginMissing",
        "The provider or engine is not installed, or not allowed to load.",
        "Install it: `dbclaims plugins` shows how.",
    ),
)

_BACKEND = (
    Reason(
        "BackendUnreachable", "The server does not answer.", "See that it runs and that the network lets us through."
    ),
    Reason(
        "BackendError",
        "The server refused a step for a reason that may pass.",
        "Wait; the message holds the server's words.",
    ),
    Reason(
        "ReadOnly",
        "The server takes no writes: a replica, or set to read only.",
        "Point the DatabaseServer at the primary.",
    ),
    Reason(
        "ServerBusy", "Every admin connection to the server is in use.", "Wait, or allow the controller more of them."
    ),
    Reason("ServerFull", "The server is short of connections, memory or space.", "Give it more, or close connections."),
    Reason("Busy", "Somebody else works on it, in the server or at its vendor; the step is tried again.", "Wait."),
    Reason("Raced", "Somebody changed the same thing at the same moment; the step is tried again.", "Wait."),
    Reason("Vanished", "Something in the server went away meanwhile; it is looked at again.", "Wait."),
    Reason(
        "Timeout",
        "The server took longer over a statement than it may.",
        "If it lasts, see what the server is busy with.",
    ),
    Reason(
        "DeadlineExceeded",
        "A pass took longer than it may and goes on in the next one.",
        "If it lasts, see what the server is busy with.",
    ),
    Reason(
        "NotSettled",
        "After several steps the database is not yet as it should be.",
        "If it lasts, see who changes it too.",
    ),
    Reason("TLSRefused", "TLS with the server failed.", "Correct config.tls, or the server's certificate."),
    Reason(
        "AuthMethodRefused",
        "The server asks for another authentication than SCRAM.",
        "Let it ask the admin for SCRAM; a false server would not.",
    ),
    Reason(
        "AdminLoginRefused",
        "The server refuses the admin's login.",
        "Correct the admin Secret; applications are not affected.",
    ),
    Reason(
        "AdminLacksRight",
        "The admin may not make roles or databases, or lacks another right.",
        "Run the SQL in the message.",
    ),
    Reason("RoleInUse", "A role still owns something, so it cannot be dropped.", "Give what it owns to another role."),
    Reason("AccessRefused", "The admin lacks a right that is needed.", "Grant what the message names."),
    Reason("Refused", "The backend refused for good.", "Act on the message."),
    Reason(
        "AdminLacksRole",
        "The admin may not act for the owner of an adopted database.",
        "Run the SQL in the message as that database's owner.",
    ),
    Reason(
        "NameTaken",
        "A database or role of that name belongs to somebody else.",
        "Choose another databaseName, or adopt it.",
    ),
    Reason(
        "OwnerTooPowerful",
        "The owner of an adopted database may do more than own it.",
        "Give the database to a role without SUPERUSER and CREATEROLE.",
    ),
    Reason(
        "SchemaTaken",
        "A schema of that name belongs to somebody else.",
        "Leave it out, or have it given to the owner that the message names.",
    ),
    Reason(
        "ConnectionLimitReached",
        "Every connection that the login may have is in use.",
        "Close some, or raise the class's connectionLimit.",
    ),
    Reason(
        "LoginUnproven",
        "The published login was not let in, and not for its password: whether it works is not known.",
        "Act on the message: it holds the server's words.",
    ),
    Reason(
        "LoginRefused",
        "A login that was just made or mended cannot log in, so it is not published.",
        "Act on the message: it holds the server's words.",
    ),
    Reason(
        "PoolerEndpoint",
        "The address leads through a transaction pooler, where locks do not hold.",
        "Give the server's direct address as config.host, the pooler's as config.clientEndpoint.",
    ),
    Reason(
        "LockHeld",
        "Somebody holds the lock of this database; the step is tried again.",
        "If it lasts, see which session holds it.",
    ),
    Reason(
        "OldLoginInUse",
        "After maxOverlap the old login is still in use, so the next rotation waits.",
        "Have the application read the Secret again.",
    ),
    Reason(
        "VersionMismatch",
        "The server runs another major version than its object says.",
        "Correct spec.version, or leave it out.",
    ),
    Reason(
        "ServerChanged",
        "The address leads to another server than the one that claims are bound to.",
        "Restore the server, or approve the new one with dbclaims.io/approve.",
    ),
    Reason(
        "DatabaseLost",
        "A database whose Secret was published is gone; nothing is created in its place.",
        "Restore it, or approve an empty one with dbclaims.io/approve.",
    ),
    Reason(
        "NameExposed",
        "On MySQL, what somebody was granted by a pattern or an old grant would open the new database to them.",
        "Revoke it from the accounts in the message, or choose another name.",
    ),
    Reason(
        "OrphanDefiners",
        "MySQL makes no account whose name a view, routine, trigger or event still gives as its definer.",
        "Drop or redefine what names it.",
    ),
    Reason(
        "DatabaseBusy",
        "An open or prepared transaction holds a database that is to be dropped.",
        "End it; XA RECOVER lists prepared ones.",
    ),
    Reason(
        "HostBlocked",
        "MySQL refuses every connection from the controller's address, after too many that broke off.",
        "Mend what broke them, then run FLUSH HOSTS from another address.",
    ),
    Reason("StatementRefused", "The server does not understand a statement of ours.", "Upgrade it, or report it."),
    Reason("PluginError", "A provider or engine failed.", "Act on the message."),
    Reason(
        "PluginBug", "A provider or engine failed in a way that it must not.", "Report it with the controller's log."
    ),
)

_WARNINGS = (
    Reason(
        "InsecureTLS",
        "The server is reached without full verification of its certificate.",
        "Set config.tls.mode to verify-full and give the CA.",
    ),
    Reason(
        "PlainPasswordForm",
        "The server takes no password verifiers, so it sees passwords as they are.",
        "Allow SCRAM verifiers on the server.",
    ),
    Reason(
        "PublicSchemaOpen",
        "PostgreSQL 14 lets everyone create in the schema public.",
        "Revoke it as a superuser, or move to 15 or newer.",
    ),
    Reason(
        "SharedCreaterole",
        "Before PostgreSQL 16 every role with CREATEROLE may change our logins.",
        "Give CREATEROLE to nobody else, or move to 16 or newer.",
    ),
    Reason(
        "SharedHolder",
        "Others than the admin are members of the role that holds our databases.",
        "Revoke their membership.",
    ),
    Reason(
        "AdoptedOwner",
        "An adopted database keeps its owner, who can do everything in it.",
        "Close the old owner's login when nobody needs it.",
    ),
    Reason(
        "ForeignGrants",
        "Accounts that are not ours were granted something on a MySQL database.",
        "Revoke it, if it is not meant.",
    ),
    Reason(
        "ShadowedLogin",
        "MySQL tries an account of the same name for one host before ours, which is for every host.",
        "Drop or rename that account.",
    ),
    Reason(
        "TriggersRefused",
        "MySQL's binary log keeps applications from making triggers and functions.",
        "Set log_bin_trust_function_creators on the server.",
    ),
    Reason("EventsDisabled", "Events never run on this MySQL server.", "Start it with event_scheduler ON or OFF."),
    Reason(
        "NamesFolded",
        "This MySQL server keeps names in lower case: names that differ in case are one.",
        "Choose names that differ otherwise.",
    ),
)

_CLOUD = (
    Reason(
        "ServerFailed", "The vendor gave up on the server.", "Read the state in the message at the vendor's console."
    ),
    Reason("Throttled", "The vendor asks for fewer requests.", "Wait; see who else uses the account."),
    Reason("QuotaExceeded", "The account has no room for more.", "Have the quota raised, or remove what is not used."),
    Reason("CapacityMissing", "The vendor has none left of what is wished.", "Wait, or wish for another size or zone."),
    Reason(
        "ReferenceNotFound",
        "Something at the vendor that the configuration names does not exist.",
        "Make it, or correct the name; it is looked up again soon.",
    ),
    Reason("SizeUnknown", "The size means nothing, or is not offered.", "Choose one of those in the message."),
    Reason(
        "VersionUnavailable",
        "The vendor does not have the version, or cannot bring the server there.",
        "Choose one of those in the message.",
    ),
    Reason("ParameterUnknown", "The engine's version has no such parameter, or none to set.", "Correct the name."),
    Reason("StorageShrinks", "Less storage is wished than there is.", "Wish for what is there, or more."),
    Reason(
        "DeletionProtected",
        "Somebody else protects the server at the vendor, so it is not deleted.",
        "Lift the protection there, or take it over in spec.config.",
    ),
    Reason(
        "ChangesPending",
        "At the vendor a change waits for its own maintenance window, and it is not ours.",
        "Let it come, or take it back there.",
    ),
)

REASONS: dict[str, Reason] = {
    each.name: each for part in (_LIFE, _DOCUMENT, _REFERENCES, _BACKEND, _WARNINGS, _CLOUD) for each in part
}
"""Every reason by its name, in the order of the reference page."""
