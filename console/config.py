"""Settings: built-in defaults, the configuration file, a profile in it, the environment, and the command line.

Each later one wins. Everything a person writes is checked against the types below before it is used, unknown names
included; what is wrong is said with its place. Every field's description is the documentation that
`agent-console config show` prints.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from console import paths
from console.domain.errors import UsageError
from console.domain.fence.promise import Promise
from console.domain.state.flags import USUAL_FLAGS, FlagSpec, FlagType
from console.domain.text import clean, redact_url
from console.logs.mapping.mapping import Mapping as LogMapping
from console.password import PasswordSource
from console.regular import read_regular

ENV_PREFIX: Final = "AGENT_CONSOLE_"

MOST_FILE_BYTES: Final = 4 * 1024 * 1024
"""A configuration file that is larger is none."""

SECTIONS: Final = ("logs", "switch", "gates", "volatility", "ui")
"""Tables of the file that are in force whatever the profile."""

PROTECTED: Final = "protected profile"
"""Where it comes from that commands are refused, when nothing else says so."""


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[logs]`: where in a decision record things stand. Paths are field names joined by dots."""

    pnl_path: Annotated[str, Meta(description="Profit or loss of the round.")] = "output.pnl"
    currency_path: Annotated[str, Meta(description="The currency of that amount.")] = "output.currency"
    stake_path: Annotated[str, Meta(description="What was at risk in the round.")] = "output.amount_bet"
    dry_path: Annotated[str, Meta(description="True for rounds that move no real money.")] = "output.dry"
    latency_path: Annotated[str, Meta(description="How long the decision took, in milliseconds.")] = "latency_ms"
    slot_path: Annotated[str, Meta(description="`blue` or `green`, for records that say so themselves.")] = "slot"
    last_lines: Annotated[int, Meta(ge=0, le=10_000_000, description="Lines read from each file at start.")] = 1000
    mapping: Annotated[
        LogMapping | None,
        Meta(description="How to read records of others (docs/mapping.md); the paths above rest then."),
    ] = None


class FlagSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[flags.NAME]`: one registered flag."""

    type: Annotated[Literal["bool", "number", "string"], Meta(description="What its text must be.")]
    default: Annotated[str | int | float | bool | None, Meta(description="The default in the agent's code.")] = None
    description: Annotated[str, Meta(description="One sentence.")] = ""
    choices: Annotated[tuple[str, ...], Meta(description="The only values allowed.")] = ()


class SwitchSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[switch]`: how a planned switch treats plain agents, which can't be fenced."""

    quiesce: Annotated[bool, Meta(description="Wait until every plain agent has read that it is not its turn.")] = True
    poll_ms: Annotated[int, Meta(ge=1, le=600_000, description="How often plain agents read the active key.")] = 1_000
    deadline_ms: Annotated[int, Meta(ge=1, le=600_000, description="The longest that nobody is active.")] = 5_000
    drain_ms: Annotated[int, Meta(ge=1, le=600_000, description="The longest wait for what is in flight.")] = 10_000


class GateFileSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[gates]`: what has to be open before risk is raised (docs/gates.md)."""

    require: Annotated[
        tuple[str, ...], Meta(description="Items that must be open, unticked and not checked ones included.")
    ] = ()
    approvals: Annotated[int, Meta(ge=1, le=2, description="People that an override takes; 2 asks a second one.")] = 1
    approval_s: Annotated[int, Meta(ge=10, le=86_400, description="Seconds that an approval holds.")] = 900
    snapshot_s: Annotated[int, Meta(ge=1, le=300, description="The oldest snapshot that is fresh.")] = 300
    state_s: Annotated[int, Meta(ge=1, le=86_400, description="The oldest plain state file that is believed.")] = 300
    shadow_rounds: Annotated[int, Meta(ge=0, le=10_000_000, description="Shadow rounds of the version, at least.")] = 50
    shadow_divergence: Annotated[
        float, Meta(ge=0, le=1, description="The largest share of them that may have diverged; 1 leaves it to people.")
    ] = 1.0
    rehearsal_s: Annotated[
        int, Meta(ge=60, le=2_592_000, description="The oldest rehearsal of the version that is believed.")
    ] = 86_400
    rehearsal_rounds: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Rounds that it has to have compared, at least.")
    ] = 50
    timeout_s: Annotated[float, Meta(ge=0.05, le=60, description="The longest wait for one source of facts.")] = 2.0
    maintenance: Annotated[
        tuple[str, ...], Meta(description="Windows of a venue's maintenance: FROM/UNTIL WHAT, in ISO 8601.")
    ] = ()
    health: Annotated[
        dict[Literal["blue", "green"], str], Meta(description="Side → the version's own health address.")
    ] = {}


class VolatilitySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[volatility]`: where volatility is read; one of `key`, `field` and `url`, or none, which is *not checked*."""

    key: Annotated[str, Meta(description="A Redis key: a number, or JSON (docs/gates.md).")] = ""
    field: Annotated[str, Meta(description="A field of decision records, as a path: inputs.price.")] = ""
    url: Annotated[str, Meta(description="An HTTP address that answers JSON.")] = ""
    pointer: Annotated[str, Meta(description="Where in that JSON it stands (RFC 6901); empty for all of it.")] = ""
    prices: Annotated[bool, Meta(description="They are prices, from which volatility is realised.")] = False
    factor: Annotated[float, Meta(gt=1, le=1000, description="High from so many times its trailing median on.")] = 2.0
    window_s: Annotated[float, Meta(ge=1, le=86_400, description="Prices of so many seconds make one figure.")] = 300.0
    fresh_s: Annotated[float, Meta(ge=1, le=86_400, description="Without a newer figure it is silent: high.")] = 120.0
    windows: Annotated[int, Meta(ge=1, le=10_000, description="Figures that have to be behind the newest one.")] = 8
    limit: Annotated[float | None, Meta(description="High from here on, whatever the median says.")] = None


class UiFileSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[ui]`: how the console looks and listens."""

    theme: Annotated[str, Meta(description="A built-in theme or one of your own.")] = "dark"
    ascii: Annotated[bool, Meta(description="For terminals without box drawing.")] = False
    mouse: Annotated[bool, Meta(description="Whether the mouse is used.")] = True
    hz: Annotated[float, Meta(ge=0.2, le=10, description="Frames per second at most.")] = 5.0
    bell: Annotated[bool, Meta(description="Whether a new alert rings the terminal's bell.")] = True
    keys: Annotated[dict[str, str], Meta(description="Binding id → key, to move a binding.")] = {}
    columns: Annotated[
        dict[str, tuple[str, ...]],
        Meta(description="List → its columns, in this order: decisions, owed, audit, fleet, and so on."),
    ] = {}


class StoreSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[store]`: what somebody promises of a server that does not tell it (a managed one without CONFIG or INFO)."""

    promised: Annotated[
        dict[str, str], Meta(description="Settings as CONFIG calls them, and the server's version.")
    ] = {}
    by: Annotated[str, Meta(description="Who promises it.")] = ""


class Overlay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both the top of the file and a profile may say."""

    url: Annotated[str | UnsetType, Meta(description="The store; none given means the embedded one.")] = UNSET
    password: Annotated[
        PasswordSource | UnsetType, Meta(description="Where the store's password is kept: env, file or command.")
    ] = UNSET
    store: Annotated[
        StoreSettings | UnsetType,
        Meta(description="What is promised of it, and by whom, where it does not tell."),
    ] = UNSET
    agent: Annotated[str | UnsetType, Meta(description="Whose keys.")] = UNSET
    decisions: Annotated[
        tuple[str, ...] | UnsetType, Meta(description="Decision logs; globs; `{agent}` is the agent's name.")
    ] = UNSET
    divergences: Annotated[
        tuple[str, ...] | UnsetType, Meta(description="Files of divergences that shadows of plain agents write; globs.")
    ] = UNSET
    state_file: Annotated[str | UnsetType, Meta(description="The agent's JSON state file.")] = UNSET
    venue: Annotated[str | UnsetType, Meta(description="The venue's document; `{agent}` is the agent's name.")] = UNSET
    slots: Annotated[
        dict[Literal["blue", "green"], tuple[str, ...]] | UnsetType, Meta(description="Slot → versions that run in it.")
    ] = UNSET
    protected: Annotated[bool | UnsetType, Meta(description="Starts read-only; marked by a band.")] = UNSET
    read_only: Annotated[bool | UnsetType, Meta(description="Commands are refused.")] = UNSET
    who: Annotated[str | UnsetType, Meta(description="The name in receipts; else user@host.")] = UNSET


class ProfileLogs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[profiles.NAME.logs]`: what a profile says of its logs."""

    mapping: LogMapping | None = None


class Profile(Overlay, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[profiles.NAME]`."""

    logs: ProfileLogs = ProfileLogs()


class _File(Overlay, frozen=True, kw_only=True, forbid_unknown_fields=True):
    profile: Annotated[str, Meta(description="The profile used when none is named.")] = ""
    profiles: dict[str, Profile] = {}
    logs: LogSettings = LogSettings()
    switch: SwitchSettings = SwitchSettings()
    gates: GateFileSettings = GateFileSettings()
    volatility: VolatilitySettings = VolatilitySettings()
    flags: dict[str, FlagSetting] = {}
    ui: UiFileSettings = UiFileSettings()


class Settings(Struct, frozen=True, kw_only=True):
    """What is in force.

    Args:
        url: the store; None for the embedded one.
        password: where the password of that store is kept; None where the URL says all.
        store: what is promised of that store where it does not tell by itself.
        agent: whose keys.
        decisions: decision logs to follow; globs allowed.
        divergences: files of divergences to follow; globs allowed.
        state_file: the agent's JSON state file, if there is one.
        venue: the venue's document, if there is one.
        slots: which versions run in which slot, for logs whose records name no slot.
        profile: the profile's name; empty for none.
        protected: whether that profile is protected.
        read_only: whether commands are refused.
        who: the name that receipts carry.
        logs, switch, gates, volatility, ui, registry: as in the file.
        origins: for each of the names above, and for `section.name` of the others, where its value came from: a file
            and its profile, a variable, an option, or "default".
    """

    url: str | None
    password: PasswordSource | None
    store: StoreSettings
    agent: str
    decisions: tuple[str, ...]
    divergences: tuple[str, ...]
    state_file: str | None
    venue: str | None
    slots: dict[str, tuple[str, ...]]
    profile: str
    protected: bool
    read_only: bool
    who: str
    logs: LogSettings
    switch: SwitchSettings
    gates: GateFileSettings
    volatility: VolatilitySettings
    ui: UiFileSettings
    registry: dict[str, FlagSpec]
    origins: dict[str, str]

    @property
    def promise(self) -> Promise | None:
        """What is promised of the store; None for nothing.

        Raises:
            UsageError: nobody's name is under it, or it can't be promised.
        """
        return Promise.of(self.store.promised, self.store.by)

    @property
    def shown_url(self) -> str:
        """The store as it may be shown: no password; "embedded" where none is given."""
        return redact_url(self.url) if self.url else "embedded"

    @property
    def locked(self) -> bool:
        """Whether commands are refused only because the profile is protected: a console can unlock it."""
        return self.read_only and self.origins["read_only"] == PROTECTED


def load(
    overrides: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
    profile: str | None = None,
) -> Settings:
    """Put the settings together.

    Args:
        overrides: what the command line gave; None values count as not given.
        environ: the environment; the process's own by default.
        file: the configuration file; the user's own by default, which may be missing; a given one may not.
        profile: the profile asked for.

    Raises:
        UsageError: something is unknown, of a wrong type or out of range; the text says what and where.
    """
    env = os.environ if environ is None else environ
    given = file or (Path(env[ENV_PREFIX + "CONFIG"]) if env.get(ENV_PREFIX + "CONFIG") else None)
    path = given or paths.config_file()
    parsed, written = _read_file(path, required=given is not None)
    name = profile or env.get(ENV_PREFIX + "PROFILE") or parsed.profile
    if name and name not in parsed.profiles:
        known = ", ".join(sorted(parsed.profiles)) or "none"
        raise UsageError(f"There is no profile {clean(name, 40)!r} in the configuration.", f"Known profiles: {known}.")

    layers: list[tuple[Callable[[str], str], Mapping[str, Any]]] = [
        (lambda _name: str(path), dict(_set_fields(parsed)))
    ]
    if name:
        layers.append((lambda _name: f"{path} [profiles.{name}]", dict(_set_fields(parsed.profiles[name]))))
    layers.append((lambda one: f"{ENV_PREFIX}{one.upper()}", _from_environment(env)))
    given_now = {k: v for k, v in (overrides or {}).items() if v is not None and v != ()}
    layers.append((option_of, given_now))

    values: dict[str, Any] = {
        "url": None,
        "password": None,
        "store": StoreSettings(),
        "agent": "agent",
        "decisions": _default_decisions(),
        "divergences": (),
        "state_file": None,
        "venue": None,
        "slots": {},
        "protected": False,
        "read_only": False,
        "who": _default_who(),
    }
    origins = dict.fromkeys(values, "default")
    for origin, layer in layers:
        if "url" in layer:  # a password and a promise belong to the store that they were named with
            values["password"], origins["password"] = None, "default"
            values["store"], origins["store"] = StoreSettings(), "default"
        for key, value in layer.items():
            values[key] = value
            origins[key] = origin(key)
    if values["protected"] and origins["read_only"] == "default":
        values["read_only"], origins["read_only"] = True, PROTECTED
    for section in SECTIONS:
        for one in getattr(parsed, section).__struct_fields__:
            there = one in written.get(section, {})
            origins[f"{section}.{one}"] = f"{path} [{section}]" if there else "default"
    logs = parsed.logs
    if name and (own := parsed.profiles[name].logs.mapping) is not None:
        logs = msgspec.structs.replace(logs, mapping=own)
        origins["logs.mapping"] = f"{path} [profiles.{name}.logs]"
    if logs.mapping is not None:
        logs.mapping.whole()
    registry = _registry(parsed.flags)
    for one in registry:
        origins[f"flags.{one}"] = f"{path} [flags.{one}]" if one in parsed.flags else "default"
    return Settings(
        profile=name,
        logs=logs,
        switch=parsed.switch,
        gates=parsed.gates,
        volatility=parsed.volatility,
        ui=parsed.ui,
        registry=registry,
        origins=origins,
        **values,
    )


def option_of(name: str) -> str:
    """The option that gives a setting on the command line."""
    return "--" + {"slots": "slot"}.get(name, name).replace("_", "-")


def profiles(config: str | None = None) -> tuple[tuple[str, str], ...]:
    """The profiles that there are, by name, each with its store as it may be shown; none where no file can be read.

    Args:
        config: the configuration file; else the one that the environment names, or the user's own.
    """
    given = config or os.environ.get(ENV_PREFIX + "CONFIG")
    try:
        parsed, _written = _read_file(Path(given).expanduser() if given else paths.config_file(), required=False)
    except UsageError:  # said where one of them is chosen
        return ()
    urls = {
        name: one.url if one.url is not UNSET else parsed.url if parsed.url is not UNSET else ""
        for name, one in sorted(parsed.profiles.items())
    }
    return tuple((str(clean(name, 40)), redact_url(url) if url else "embedded") for name, url in urls.items())


def _read_file(path: Path, *, required: bool) -> tuple[_File, Mapping[str, Any]]:
    """A configuration file, checked, and as it is written."""
    try:
        text = read_regular(path, MOST_FILE_BYTES)
    except FileNotFoundError:
        if required:
            raise UsageError(f"There is no configuration file {path}.") from None
        return _File(), {}
    except OSError as error:
        raise UsageError(f"The configuration file {path} can't be read: {error.strerror}.") from error
    import tomllib

    try:
        written = tomllib.loads(text.decode())
        return msgspec.convert(written, _File), written
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {clean(error)}.") from error
    except RecursionError as error:
        raise UsageError(f"{path} is not TOML that can be read: it is nested too deeply.") from error
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path}: {clean(str(error).replace('`$.', '`'))}.", "`agent-console config show` lists every setting."
        ) from error


def _set_fields(overlay: Overlay) -> Iterator[tuple[str, Any]]:
    for name in Overlay.__struct_fields__:
        value = getattr(overlay, name)
        if value is not UNSET:
            yield name, value


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in ("url", "agent", "state_file", "venue", "who"):
        value = env.get(ENV_PREFIX + name.upper())
        if value:
            values[name] = value
    for name in ("decisions", "divergences"):
        if paths_given := env.get(ENV_PREFIX + name.upper()):
            values[name] = tuple(part for part in paths_given.split(os.pathsep) if part)
    for name in ("read_only", "protected"):
        if value := env.get(ENV_PREFIX + name.upper()):
            if value.lower() not in ("1", "0", "true", "false", "yes", "no"):
                raise UsageError(f"{ENV_PREFIX}{name.upper()} is {clean(value, 20)!r}; give 1 or 0.")
            values[name] = value.lower() in ("1", "true", "yes")
    return values


def _default_decisions() -> tuple[str, ...]:
    default = paths.DEFAULT_DECISION_LOG
    return (str(default),) if default.exists() else ()


def _default_who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _registry(settings: Mapping[str, FlagSetting]) -> dict[str, FlagSpec]:
    registry = dict(USUAL_FLAGS)
    for name, setting in settings.items():
        default = None if setting.default is None else str(setting.default)
        registry[name] = FlagSpec(name, FlagType(setting.type), default, setting.description, setting.choices)
    return registry


def parse_slot_options(options: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """`--slot blue=2.4.0` options, gathered by slot.

    Raises:
        UsageError: an option is not of that form.
    """
    slots: dict[str, list[str]] = {}
    for option in options:
        slot, equals, version = option.partition("=")
        if slot not in ("blue", "green") or not equals or not version:
            raise UsageError(f"--slot {clean(option, 40)!r} is not of the form blue=VERSION or green=VERSION.")
        slots.setdefault(slot, []).append(version)
    return {slot: tuple(versions) for slot, versions in slots.items()}
