"""A computation is cut off in the middle, what must not be cut off is not, and nothing is left behind."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from sheetrun.service.watch import Interrupted, Watch


def busy() -> None:
    """Computes until it is cut off."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        sum(range(1000))
    raise AssertionError("nobody stopped it")


def test_a_computation_is_cut_off_where_it_is() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(Interrupted), Watch(lambda: True) as watch, watch.computing():
        busy()
    assert signal.getsignal(signal.SIGUSR1) is before


def test_it_is_not_taken_for_a_failure() -> None:
    def careless() -> None:
        try:
            busy()
        except Exception:
            raise AssertionError("caught on the way") from None

    with pytest.raises(Interrupted), Watch(lambda: True) as watch, watch.computing():
        careless()


def test_what_is_apart_is_left_alone_and_what_comes_after_is_cut_off() -> None:
    done: list[str] = []

    def work(watch: Watch) -> None:
        time.sleep(0.6)
        done.append("outside")
        with watch.computing():
            with watch.apart():
                time.sleep(0.6)
                done.append("apart")
            busy()

    with pytest.raises(Interrupted), Watch(lambda: True) as watch:
        work(watch)
    assert done == ["outside", "apart"]


def test_work_that_is_not_stopped_goes_on() -> None:
    looks: list[float] = []
    with Watch(lambda: bool(looks.append(time.monotonic()))) as watch, watch.computing():
        time.sleep(0.6)
    assert looks
    count = len(looks)
    time.sleep(0.4)
    assert len(looks) == count, "the thread has ended"


def test_off_the_main_thread_it_only_asks() -> None:
    ended: list[bool] = []

    def work() -> None:
        with Watch(lambda: True) as watch, watch.computing():
            time.sleep(0.6)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]
