"""The house rules of `dags/`: every DAG loads, says who keeps it and how, and holds wiring only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))

# What the form of each DAG refuses, a list of values for each field that can be wrong.
NONSENSE = {
    "delivery_status_analysis": {
        "file": [7, ["a.csv"]],
        "date": ["21.11.2026", "2026-13-01", 20261121],
        "threshold": [1.5, -0.1, "0.1"],
        "recipients": [["nobody"], "analysts@retailer.example"],
    },
    "price_list_export": {
        "date": ["21.11.2026", "2026-13-01", 20261121],
        "assortment": ["contracts", "", ["full"]],
        "formats": [["pdf"], ["csv", "XLSX"], "csv"],
        "clients": ["B2B-0001", [1], [None]],
        "release": ["*", [True]],
        "released_by": [7, ["an operator"]],
        "recipients": [["nobody"], "analysts@retailer.example"],
    },
}


@pytest.fixture(scope="module")
def dag_bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(params=[path.stem for path in DAG_FILES])
def dag(dag_bag, request):
    return dag_bag.dags[request.param]


def test_every_file_is_one_dag_without_import_errors(dag_bag):
    assert dag_bag.import_errors == {}
    assert sorted(dag_bag.dags) == [path.stem for path in DAG_FILES]


def test_dag_has_owner_tags_and_its_manual(dag):
    assert dag.tags
    assert dag.owner == "data-platform"
    for heading in ("**When.**", "**Input.**", "**Result.**", "**Mails.**", "**When it fails.**"):
        assert heading in dag.doc_md


def test_dag_does_not_run_missed_days_and_has_a_deadline(dag):
    assert dag.catchup is False
    assert dag.deadline


def test_every_task_is_retried_with_growing_pauses_and_ends_in_time(dag):
    for task in dag.tasks:
        assert task.retries == 3, task.task_id
        assert task.retry_exponential_backoff == 2.0, task.task_id
        assert task.execution_timeout is not None, task.task_id


def test_data_that_cannot_be_right_is_not_tried_again(dag):
    from airflow.sdk import RetryAction

    from extracts.errors import DataRefused, TransientError, UsageError

    for task in dag.tasks:
        decide = task.retry_policy.evaluate
        assert decide(DataRefused("x"), 1, 3).action is RetryAction.FAIL, task.task_id
        assert decide(UsageError("x"), 1, 3).action is RetryAction.FAIL, task.task_id
        assert decide(TransientError("x"), 1, 3).action is not RetryAction.FAIL, task.task_id


def test_every_field_of_the_form_has_title_and_description(dag):
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema["title"], name
        assert len(param.description) > 20, name


def test_the_form_takes_its_own_defaults_and_refuses_nonsense(dag):
    from airflow.sdk.exceptions import ParamValidationError

    dag.params.validate()
    assert set(NONSENSE[dag.dag_id]) == set(dag.params), "a field without nonsense of its own"
    for name, values in NONSENSE[dag.dag_id].items():
        for wrong in values:
            with pytest.raises(ParamValidationError):
                dag.params.get_param(name).resolve(wrong)


def test_a_run_that_failed_cannot_end_green(dag):
    # Airflow colours a run by its last tasks: the failure mail must not be the only one of them.
    leaves = {task.task_id for task in dag.leaves}
    assert "notify_failure" in leaves
    assert leaves - {"notify_failure"}
    for task in leaves - {"notify_failure"}:
        assert dag.get_task(task).trigger_rule == "all_success"


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.name)
def test_dag_files_hold_wiring_only(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            assert module.split(".")[0] not in {
                "psycopg2",
                "psycopg",
                "duckdb",
                "pandas",
                "csv",
                "sqlalchemy",
            }
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert "SELECT " not in node.value.upper()
        assert not isinstance(node, ast.For | ast.While | ast.Try), (
            f"line {node.lineno}: logic belongs in pipelines"
        )
    tasks = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.decorator_list]
    for task in tasks[1:]:
        assert len(task.body) <= 4, f"{task.name}: its logic belongs in pipelines"
