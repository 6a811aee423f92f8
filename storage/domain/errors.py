"""The one error tree: every error has a stable code and says whether trying again can help."""

from typing import ClassVar


class WellstreamError(Exception):
    """Base of all errors that a caller may meet.

    ``str(error)`` is one clear sentence for a person: what was wrong, where, and what to do.
    """

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False


class InputRefused(WellstreamError):
    """A file, request or argument cannot be read as what it claims to be."""

    code = "input-refused"


class NotFound(WellstreamError):
    """What was asked for does not exist."""

    code = "not-found"


class AlreadyKept(WellstreamError):
    """Rows that were taken for new are kept already; looked up first, the same rows can be written."""

    code = "already-kept"
    retry = True


class Overtaken(WellstreamError):
    """Another transaction changed the same rows first; nothing was kept."""

    code = "overtaken"
    retry = True


class SettingsFaulty(WellstreamError):
    """The settings contradict each other or a value is not allowed; all faults are told at once."""

    code = "settings-faulty"


class RulesFaulty(WellstreamError):
    """A document of verification rules cannot be used; all faults are told at once."""

    code = "rules-faulty"


class Conflict(WellstreamError):
    """What was asked for contradicts what has happened already."""

    code = "conflict"


class ServerNotStarted(WellstreamError):
    """An embedded server, a port or a data folder could not be had."""

    code = "server-not-started"


class StorageDown(WellstreamError):
    """PostgreSQL does not answer; the same call may succeed later."""

    code = "storage-down"
    retry = True


class DoorbellDown(WellstreamError):
    """Redis does not answer; records are safe in PostgreSQL and followers poll meanwhile."""

    code = "doorbell-down"
    retry = True


class ParameterRefused(InputRefused):
    """A parameter of a request has a value that is not allowed; ``allowed`` says in words which are."""

    code = "parameter-refused"

    def __init__(self, parameter: str, value: object, allowed: str) -> None:
        super().__init__(f"{parameter} is {value!r}, but must be {allowed}")
        self.parameter = parameter
        self.value = value
        self.allowed = allowed


class TookTooLong(WellstreamError):
    """The answer was not there within the time that a request is given; a smaller question may be."""

    code = "took-too-long"


class TooBusy(WellstreamError):
    """More is being asked at once than is worked on; the same call may succeed in a moment."""

    code = "too-busy"
    retry = True


class NotOffered(WellstreamError):
    """The answer cannot be given in any of the formats that were asked for."""

    code = "not-offered"
