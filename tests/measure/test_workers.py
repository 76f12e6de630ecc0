"""Processes that measure: what one takes with it when it dies is done by another."""

import signal
from concurrent.futures import ThreadPoolExecutor

from sicjax.measure._workers import over_processes, spread


def test_what_ends_its_process_is_told_and_the_rest_is_done():
    # 0 is no signal; the other cannot be caught. Where it comes, a process already gets many items at a time.
    items = [*[0] * 100, int(signal.SIGKILL), *[0] * 100]
    done = list(over_processes(signal.raise_signal, items, 1, lost=lambda item: f"lost {item}"))
    assert sorted(done, key=str) == sorted([*((0, None) for _ in range(200)), (9, "lost 9")], key=str)


def test_no_more_is_taken_than_is_at_hand():
    taken = []
    items = (taken.append(k) or k for k in range(10))
    with ThreadPoolExecutor(1) as executor:
        work = spread(executor, str, items, ahead=3)
        item, future = next(work)
        assert taken == [0, 1, 2] and future.result() == str(item)
        assert sorted(future.result() for _, future in work) == [str(k) for k in range(1, 10)]
