"""A recorder that loses rows says so once, and that it writes again."""

from __future__ import annotations

from pathlib import Path

from trueup.core.instant import MINUTE, Instant
from trueup.run.archive.record_watch import RecordWatch
from trueup.run.archive.recorder import Recorded
from trueup.run.clock import SystemClock
from trueup.run.desk import read_desk_settings
from trueup.run.operator.beside import Operator, OperatorOptions
from trueup.run.operator.log_reading import Filter, read_log


def test_recorder_tells_of_a_full_disk_and_of_its_end(tmp_path: Path) -> None:
    settings = read_desk_settings({"TRUEUP_HOME": str(tmp_path)})
    with Operator(settings, OperatorOptions(role="record")) as operator:
        watch = RecordWatch(operator, flush=MINUTE)
        now = SystemClock().now()
        assert watch.condition(now).is_healthy

        for trouble in ("disk full", "disk full", ""):
            watch.told(Recorded(trouble=trouble), 22)
            assert operator.health()["healthy"] is not bool(trouble)
        late = watch.condition(Instant(SystemClock().now() + 4 * MINUTE))

    assert late.reasons == ("hanging: the recorder was not seen at work for 4 min",)
    lines = read_log(tmp_path, settings.config, Filter(program="record"))
    assert [each["event"] for each in lines if "alert" in each] == [
        "the recorder loses rows: disk full",
        "the recorder writes again",
    ]
