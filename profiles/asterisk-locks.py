# SPDX-License-Identifier: Apache-2.0
# The table that Asterisk keeps where it was built with DEBUG_THREADS: which thread took which lock, where,
# and which one it waits for. All of it is read from memory; nothing of the program is called.
LOCKS_MAX = 64
KINDS = {0: "mutex", 1: "rwlock, to read", 2: "rwlock, to write"}


def threads_by_lwp():
    return {t.ptid[1]: t.num for t in gdb.selected_inferior().threads()}


def threads_by_handle():
    """pthread_t to gdb's number, for releases that don't keep the LWP."""
    found = {}
    for thread in gdb.selected_inferior().threads():
        handle = attempt(thread.handle)
        if handle:
            found[int.from_bytes(handle, "little")] = thread.num
    return found


def thread_words(info, by_lwp, by_handle):
    handle = int(info["thread_id"])
    number_of = attempt(lambda: by_lwp[int(info["lwp"])], by_handle.get(handle))
    words = "thread %s" % number_of if number_of else "a thread that gdb doesn't see"
    return "%s (pthread 0x%x, %s)" % (words, handle, text(info["thread_name"]))


def place(file, line, func):
    """Names of the program's own, so without quotes; None where there is none."""
    return "%s () at %s:%d" % (plain(func), plain(file), int(line))


def plain(value):
    raw = fetch(value)
    return quoted(raw)[1:-1] if raw else "??"


def track_lines(lock, by_handle):
    """Who holds a lock, by the lock's own record of it."""
    kind = int(lock["type"])
    record = pointer(lock["lock_addr"], "ast_mutex_t" if kind == 0 else "ast_rwlock_t")["track"]
    if int(record) == 0:
        return
    for i in range(min(int(record["reentrancy"]), 10)):
        handle = int(record["thread_id"][i])
        number_of = by_handle.get(handle)
        yield "    held by %s (pthread 0x%x) since %s" % (
            "thread %d" % number_of if number_of else "a thread that gdb doesn't see", handle,
            place(record["file"][i], record["lineno"][i], record["func"][i]))


def lock_lines(lock, by_handle):
    pending, times = int(lock["pending"]), int(lock["times_locked"])
    state = "waits for" if pending > 0 else "could not get" if pending < 0 else "holds"
    if int(lock["suspended"]):
        state += " (given up while it waits for a condition)"
    yield "  %s %s %s at 0x%x, asked for in %s%s" % (
        state, KINDS.get(int(lock["type"]), "lock"), plain(lock["lock_name"]), int(lock["lock_addr"]),
        place(lock["file"], lock["line_num"], lock["func"]), ", %d times" % times if times > 1 else "")
    if pending > 0:
        try:
            yield from track_lines(lock, by_handle)
        except Exception as e:
            yield "    (its holder is not here: %s)" % e


@section("Locks by DEBUG_THREADS")
def lock_table():
    try:
        first = variable("lock_infos", "utils.c")["first"]
    except Exception:
        print("(this Asterisk was built without DEBUG_THREADS, or its symbols are missing)")
        return
    by_lwp, by_handle, n = threads_by_lwp(), threads_by_handle(), 0
    for info in limited(chain(first, lambda i: i["entry"]["next"])):
        number_of = attempt(lambda: by_lwp[int(info["lwp"])])
        if number_of:
            by_handle.setdefault(int(info["thread_id"]), number_of)
    for info in limited(chain(first, lambda i: i["entry"]["next"])):
        held = min(int(info["num_locks"]), LOCKS_MAX)
        if held == 0:
            continue
        n += 1
        print(thread_words(info, by_lwp, by_handle))
        for i in range(held):
            try:
                for line in lock_lines(info["locks"][i], by_handle):
                    print(line)
            except Exception as e:
                print("  (lock %d is not here: %s)" % (i + 1, e))
        print("")
    print("threads_with_locks = %d" % n)
