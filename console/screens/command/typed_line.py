"""What is typed after `:`: a command of the catalogue, or one of the screen's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from console.domain.errors import ConsoleError
from console.domain.operator.command import usage
from console.screens.command.grammar import names_after, options_of, parse, place, words_of
from console.screens.frame.names import SCREENS
from widgets.typing.command_line import CommandLine, Completion

if TYPE_CHECKING:
    from console.screens.frame.host import Host

OWN: Final = {
    "quit": "Leave the console.",
    "help": "What the keys do.",
    "theme": "Another theme: theme NAME.",
    "screen": "Another screen: screen NAME.",
    "unlock": "Let commands through on a protected profile; takes its name.",
    "at": "Show what was: at TIME (14:03, 15m).",
    "live": "Show the present again.",
    "record": "Keep what is seen in a file: record FILE, record stop.",
    "sort": "Sort the list with the keys: sort COLUMN [reverse].",
    "columns": "Choose the columns of the list with the keys.",
    "csv": "Write every row of the list with the keys that its filter keeps: csv FILE.",
    "agent": "Another agent of this store: agent NAME.",
    "profile": "Another profile: profile NAME; a protected one starts locked.",
    "export": "Write what is on screen to a file: export [FILE].",
}
MOST: Final = 200
"""Completions offered."""


def submit(host: Host, line: str) -> None:
    """Do what a line says; whatever is wrong with it is said in the status line."""
    try:
        words = words_of(line)
        if words and words[0] in OWN:
            _own(host, words)
            return
        typed = parse(line, host.operator.catalogue)
    except ConsoleError as error:
        host.say(str(error), "warn", fade_s=30)
        return
    host.start(typed.info.name, typed.args, typed.reason, typed=True)


def _own(host: Host, words: list[str]) -> None:
    word, rest = words[0], words[1:]
    if word == "quit":
        host.call_later(host.action_quit)
    elif word == "help":
        host.show_help()
    elif word == "export":
        host.start_export(rest[0] if rest else "")
    elif word == "at":
        from console.screens.frame.looking_back import look_at

        look_at(host, " ".join(rest))
    elif word == "live":
        from console.screens.frame.looking_back import look_at_now

        look_at_now(host)
    elif word == "record":
        from console.screens.command.recording import record

        host.run_worker(record(host, " ".join(rest)), group="commands", exit_on_error=False)
    elif word == "sort":
        host.sort_list(rest)
    elif word == "columns":
        host.choose_columns()
    elif word == "csv":
        host.start_csv(" ".join(rest))
    elif word == "unlock":
        from console.screens.command.unlock import unlock

        host.run_worker(unlock(host, " ".join(rest)), group="commands", exit_on_error=False)
    elif word in ("agent", "profile"):
        from console.screens.command.changing import to_agent, to_profile

        change = to_agent if word == "agent" else to_profile
        host.run_worker(change(host, " ".join(rest)), group="changing", exit_on_error=False)
    elif word == "theme":
        names = [name for name in host.theme_names if not rest or name == rest[0]]
        if rest and names:
            host.use_theme(names[0])
        host.say(f"Theme: {names[0]}" if rest and names else f"The themes are: {', '.join(host.theme_names)}.", "info")
    elif word == "screen":
        names = [info.name for info in SCREENS]
        if rest and rest[0] in names:
            host.call_later(host.go_to, rest[0])
        else:
            host.say(f"The screens are: {', '.join(names)}.", "info")


async def complete(host: Host, target: CommandLine, line: str) -> None:
    """Offer what could follow, and say what the command takes."""
    catalogue = host.operator.catalogue
    spot = place(line, catalogue)
    offers: list[tuple[str, str]] = []
    if spot.info is None:
        names = [*names_after(spot.before, spot.word, catalogue), *_own_words(spot.before, spot.word, host)]
        target.offer([Completion(name + " ", name, summary) for name, summary in names])
        target.tell("")
        return
    if spot.word.startswith("--"):
        offers = list(options_of(spot.info))
    elif spot.param is not None and spot.param.choices:
        offers = [(choice, "") for choice in spot.param.choices]
    elif spot.param is not None and spot.param.suggests:
        try:
            offers = list(await host.operator.suggestions(spot.param.suggests))
        except ConsoleError as error:
            target.tell(error.message, "warn")
    fitting = [(value, text) for value, text in offers if value.startswith(spot.word)]
    target.offer([Completion(f"{spot.before}{value} ", value, text) for value, text in fitting])
    target.tell(usage(spot.info))


def _own_words(before: str, word: str, host: Host) -> list[tuple[str, str]]:
    known = {**OWN}
    known.update({f"screen {info.name}": info.title for info in SCREENS})
    known.update({f"theme {name}": "" for name in host.theme_names})
    typed = (before + word).lstrip()
    if typed.startswith(("agent ", "profile ")):
        known.update({f"profile {name}": text for name, text in host.attachments.profiles})
        known.update({f"agent {name}": "" for name in host.attachments.agents})
        return [(name, text) for name, text in known.items() if name.startswith(typed)][:MOST]
    if not typed:
        return [(name, text) for name, text in OWN.items()]
    return [
        (name, text) for name, text in known.items() if name.startswith(typed) and (" " not in name or " " in typed)
    ]
