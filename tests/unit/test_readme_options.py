"""What the documents say of the command `extracts`, held to the command itself."""

import re
from datetime import time, timedelta
from pathlib import Path

import click
import pytest

from extracts import command, errors
from extracts.command import extracts
from extracts.command.environment import SECRETS, Duration

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / name for name in ("README.md", "Task3/README.md", "Task3/README.ru.md")]
SETTINGS = sorted(
    path for path in (ROOT / "k8s/exporter").rglob("*") if path.name.endswith((".env", ".env.example"))
)
EVERYWHERE = pytest.mark.parametrize(
    "path", [*DOCUMENTS, *SETTINGS], ids=lambda path: str(path.relative_to(ROOT))
)

OPTIONS = {
    (name, parameter.opts[0]): parameter
    for name, known in extracts.commands.items()
    for parameter in known.params
    if isinstance(parameter, click.Option)
}
ALWAYS = {"--help", "--version"}
VARIABLES = {
    *(parameter.envvar for known in extracts.commands.values() for parameter in known.params),
    *(f"{name}_FILE" for name in SECRETS),
}
EXIT_CODES = {int(code) for code in re.findall(r"(?:: |; )(\d+) ", " ".join(extracts.epilog.split()))}
# A container's own, not the command's: SIGKILL, as when memory is short.
KILLED = {137}


def table(header):
    """The cells of the README's table that has this header, row by row."""
    lines = README[README.index(header) :].splitlines()[2:]
    rows = lines[: next((place for place, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def described():
    found = {}
    for option, variable, default, _ in table("| option | variable | default | meaning |"):
        name, flag, *metavar = option.strip("`").split(" ", 2)
        assert (name, flag) not in found
        found[name, flag] = (" ".join(metavar), variable, default)
    return found


def metavar_of(parameter):
    if parameter.is_flag:
        return ""
    if isinstance(parameter.type, click.Choice):
        return "|".join(parameter.type.choices)
    return parameter.metavar or "TEXT"


def default_of(parameter):
    """As the table has it: a value in backticks, or words where the default is none that could be given."""
    if parameter.required:
        return "required"
    if parameter.is_flag:
        return "off"
    if parameter.show_default:
        return f"`{parameter.default}`"
    in_words = re.search(r"\[default: (.*?)\]", parameter.help)
    return in_words[1] if in_words else "none"


def test_every_option_stands_in_the_table_and_no_other():
    assert described().keys() == OPTIONS.keys()


@pytest.mark.parametrize("key", OPTIONS, ids=" ".join)
def test_the_table_has_the_option_s_variable_and_default(key):
    parameter = OPTIONS[key]
    expected = (metavar_of(parameter), f"`{parameter.envvar}`", default_of(parameter))
    assert described()[key] == expected


def test_the_forms_of_a_time_that_are_named_are_taken():
    forms = re.search(r"A time is (.*?)\.\n", README, re.DOTALL)[1]
    read = [Duration().convert(form, None, None) for form in re.findall(r"`(.*?)`", forms)]
    assert read == [timedelta(seconds=90), timedelta(minutes=30), timedelta(hours=26), timedelta(days=2)]


def test_the_secrets_that_may_come_from_files_are_all_named():
    named = re.search(r"variable with `_FILE` at its end names: (.*?)\.\n", README, re.DOTALL)[1]
    assert tuple(re.findall(r"`(\w+)`", named)) == SECRETS


def test_the_exit_codes_are_those_of_the_help_and_of_the_errors():
    rows = table("| exit code | means |")
    assert {int(code) for codes, _ in rows for code in codes.split(", ")} == EXIT_CODES
    raised = {error.exit_code for error in (errors.TransientError, errors.UsageError, errors.DataRefused)}
    assert {0, *raised, 130, command._Terminated.exit_code} == EXIT_CODES


def codes_in(text):
    """What is said of exit codes: the first cells of tables of them, and `exit code 2`."""
    found = set()
    for line in re.findall(r"^\| (?:exit code|код) \|.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL):
        found |= {
            int(code)
            for row in re.findall(r"^\| ([\d, ]+) \|", line, re.MULTILINE)
            for code in row.split(", ")
        }
    return found | {int(code) for code in re.findall(r"(?:exit codes?|код\w*) (\d+)\b", text, re.IGNORECASE)}


@EVERYWHERE
def test_every_exit_code_that_is_named_is_one_of_the_command_s(path):
    assert codes_in(path.read_text(encoding="utf-8")) <= EXIT_CODES | KILLED


@EVERYWHERE
def test_every_variable_that_is_named_is_read(path):
    named = set(re.findall(r"\b(?:EXTRACTS_[A-Z_]*[A-Z]|[A-Z_]+_FILE)\b", path.read_text(encoding="utf-8")))
    assert named <= VARIABLES


def code_in(text):
    """The lines of code blocks, those that go on joined, and the code in sentences."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*lines, *(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose))]


@EVERYWHERE
def test_every_option_that_is_named_is_one_of_the_command_s(path):
    """Those behind `extracts COMMAND` of that command, those that stand alone of any."""
    for code in code_in(path.read_text(encoding="utf-8")):
        if alone := re.fullmatch(r"(--[a-z-]+).*", code):
            assert alone[1] in ALWAYS | {flag for _, flag in OPTIONS}, code
        for name, words in re.findall(r"\bextracts ([a-z]+)([^|;&#]*)", code):
            for flag in re.findall(r"(?<!\S)--[a-z-]+", words):
                assert flag in ALWAYS or (name, flag) in OPTIONS, code


def test_the_documents_name_what_there_is_to_name():
    """Or the expressions above find nothing, and prove nothing."""
    for path in DOCUMENTS[1:]:
        text = path.read_text(encoding="utf-8")
        assert codes_in(text) >= EXIT_CODES
        assert [code for code in code_in(text) if re.search(r"\bextracts (export|verify|freshness)\b", code)]
    assert len(EXIT_CODES) == 6
    assert len([path for path in SETTINGS if "EXTRACTS_" in path.read_text(encoding="utf-8")]) >= 3
    assert isinstance(OPTIONS["export", "--day-ends"].type.convert("20:00", None, None), time)
