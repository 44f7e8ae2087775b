"""The checks of make check can fail: each is shown a tree with one thing wrong, and the same tree put right."""

import os
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def check(tmp_path):
    """Runs one check over a repository of these files: (whether it passed, what it printed)."""

    def run(name, files):
        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content, encoding="utf-8")
        shutil.copy(f"{ROOT}/.clang-format", tmp_path)
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        done = subprocess.run([f"{ROOT}/tools/check/{name}", str(tmp_path)], capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode == 0, done.stdout

    return run


def function(lines, body="    work();\n"):
    return "void f(void)\n{\n" + body * lines + "}\n"


@pytest.mark.parametrize("name, right, wrong", [
    ("lengths", {"src/base/a.c": function(60)}, {"src/base/a.c": function(61)}),
    ("lengths", {"src/base/a.c": "int a;\n" * 800}, {"src/base/a.c": "int a;\n" * 801}),
    ("lengths", {"tools/x": "pass\n" * 800}, {"tools/x": "pass\n" * 801}),
    ("lengths", {"src/base/a.c": "#ifdef A\n#endif\n" + function(1)}, {"src/base/a.c": function(1, "#ifdef A\n#endif\n")}),
    ("layers", {"src/store/a.c": '#include "base/b.h"\n'}, {"src/store/a.c": '#include "net/b.h"\n'}),
    ("layers", {"src/core/a.c": '#include "store/b.h"\n'}, {"src/core/a.c": '#include "aws/wire/b.h"\n'}),
    ("layers", {"src/aws/sqs/a.c": '#include "aws/wire/b.h"\n'}, {"src/aws/wire/a.c": '#include "aws/sqs/b.h"\n'}),
    ("layers", {"src/aws/sqs/a.c": '#include "api/sqs.h"\n'}, {"src/core/a.c": '#include "api/sqs.h"\n'}),
    ("layers", {"src/net/a.c": "#include <uv.h>\n"}, {"src/store/a.c": "#include <uv.h>\n"}),
    ("layers", {"src/base/a.c": ""}, {"src/other/a.c": ""}),
    ("layers", {"src/os/a.c": "#ifdef __linux__\n#endif\n"}, {"src/net/a.c": "#ifdef __linux__\n#endif\n"}),
    ("layers", {"api/sqs.smithy": "operation SendMessage {\n}\n", "src/aws/sqs/a.c": "int SendMessage;\n"},
     {"api/sqs.smithy": "operation SendMessage {\n}\n", "src/core/a.c": "int SendMessage;\n"}),
    ("words", {"a.md": "see https://docs.aws.amazon.com/x\n"}, {"a.md": "see https://else" + "where.io/x\n"}),
    ("words", {"a.json": '"resolved": ""\n'}, {"a.json": '"registry.npmjs' + '.org"\n'}),
    ("words", {"src/base/a.c": "#define TRY(x) return x\n"}, {"src/base/a.c": "#define GIVE(x) \\\n    return x\n"}),
    ("words", {"src/base/a.c": "/* done */\n"}, {"src/base/a.c": "/* TO" + "DO */\n"}),
    ("words", {"src/base/text.c": ""}, {"src/base/util.c": ""}),
    ("format", {"src/base/a.c": "int a = 1;\n"}, {"src/base/a.c": "int   a=1;\n"}),
    ("format", {"a.md": "text\n"}, {"a.md": "text \n"}),
])
def test_a_check_passes_what_is_right_and_finds_what_is_wrong(check, name, right, wrong):
    assert check(name, right) == (True, "")
    passed, text = check(name, wrong)
    assert not passed and next(path for path in wrong if not path.startswith("api/")) in text


def test_an_exemption_excuses_its_place_and_nothing_else(check):
    long = {"src/base/a.c": function(61), "src/base/b.c": function(61)}
    passed, text = check("lengths", {**long, "tools/check/exemptions": "lengths src/base/a.c:f a table\n"})
    assert not passed and "src/base/a.c" not in text and "src/base/b.c:f" in text


def test_an_exemption_that_nothing_needs_is_a_finding(check):
    passed, text = check("lengths", {"tools/check/exemptions": "lengths src/base/a.c:f a table\n"})
    assert not passed and "nothing there needs it" in text


def test_an_exemption_needs_a_reason(check):
    files = {"src/base/a.c": function(61), "tools/check/exemptions": "lengths src/base/a.c:f\n"}
    passed, text = check("lengths", files)
    assert not passed and "needs a reason" in text


def test_set_up_says_what_each_package_is_for():
    text = subprocess.run([f"{ROOT}/tools/setup", "--list"], capture_output=True, text=True, check=True).stdout
    assert all(len(line.split(None, 1)) == 2 for line in text.splitlines())
    assert {"librocksdb-dev", "libuv1-dev", "python3-boto3", "npm"} <= {line.split()[0] for line in text.splitlines()}
