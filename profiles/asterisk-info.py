# SPDX-License-Identifier: Apache-2.0
# Asterisk's state from a core. Structures are those that its debug symbols describe.


def hash_objects(container):
    table = pointer(container, "struct ao2_container_hash")
    first = table["buckets"][0].address
    for i in range(min(int(table["n_buckets"]), 1000000)):
        for node in chain((first + i)["list"]["first"], lambda n: n["links"]["first"]):
            if int(node["common"]["obj"]) != 0:
                yield node["common"]["obj"]


def tree_objects(container):
    """In order, without recursion: a core's tree may be as deep as it likes."""
    node, above, seen = pointer(container, "struct ao2_container_rbtree")["root"], [], set()
    while int(node) != 0 or above:
        while int(node) != 0 and int(node) not in seen:
            seen.add(int(node))
            above.append(node)
            node = node["left"]
        if not above:
            return
        node = above.pop()
        if int(node["common"]["obj"]) != 0:
            yield node["common"]["obj"]
        node = node["right"]


def map_objects(tree):
    """The values of a std::map of strings and pointers, by libstdc++'s layout: no pretty printer runs."""
    base = gdb.lookup_type("std::_Rb_tree_node_base")
    key_size = tree.type.strip_typedefs().template_argument(0).sizeof
    value_type = tree.type.strip_typedefs().template_argument(1)
    node = tree["_M_t"]["_M_impl"]["_M_header"]["_M_parent"]
    above, seen = [], set()
    while int(node) != 0 or above:
        while int(node) != 0 and int(node) not in seen:
            seen.add(int(node))
            above.append(node)
            node = node["_M_left"]
        if not above:
            return
        node = above.pop()
        place = gdb.Value(int(node) + base.sizeof + key_size)
        yield place.cast(value_type.pointer()).dereference()
        node = node["_M_right"]


@section("Build")
def build():
    for one in ("asterisk_version", "ast_build_user", "ast_build_hostname", "ast_build_machine",
                "ast_build_os", "ast_build_date", "asterisk_build_opts"):
        try:
            show(one, lambda: text(variable(one)))
        except Exception as e:
            print("%s: (not here: %s)" % (one, e))


@section("Configuration")
def configuration():
    show("config_folder", lambda: text(variable("ast_config_AST_CONFIG_DIR")))


@section("Uptime")
def uptime():
    start = variable("ast_startuptime")
    show("started", lambda: moment(start))
    show("last_reload", lambda: moment(variable("ast_lastreloadtime")))
    end = int(gdb.convenience_variable("corescrub_time") or 0)
    if end > int(start["tv_sec"]) > 0:
        print("up = %s, by the core's time" % duration(end - int(start["tv_sec"])))


@section("Totals")
def totals():
    for one in ("countcalls", "totalcalls"):
        try:
            show(one, lambda: number(variable(one)))
        except Exception as e:
            print("%s: (not here: %s)" % (one, e))


@section("Task processors")
def task_processors():
    container, n = variable("tps_singletons", "taskprocessor.c"), 0
    for obj in limited(hash_objects(container)):
        tps = pointer(obj, "struct ast_taskprocessor")
        n += 1
        row("tps", name=lambda: text(tps["name"]),
            processed=lambda: number(tps["stats"]["_tasks_processed_count"]),
            in_queue=lambda: number(tps["tps_queue_size"]),
            max_depth=lambda: number(tps["stats"]["max_qsize"]),
            low_water=lambda: number(tps["tps_queue_low"]),
            high_water=lambda: number(tps["tps_queue_high"]))
    print("task_processors = %d" % n)


@section("Bridges")
def bridges():
    n = 0
    for obj in limited(tree_objects(variable("bridges", "bridge.c"))):
        bridge = pointer(obj, "struct ast_bridge")
        n += 1
        row("bridge", uniqueid=lambda: text(bridge["uniqueid"]),
            num_channels=lambda: number(bridge["num_channels"]),
            type=lambda: text(bridge["v_table"]["name"]),
            technology=lambda: text(bridge["technology"]["name"]),
            created=lambda: moment(bridge["creationtime"]))
    print("bridges = %d" % n)


def stored_channels():
    """Of each storage driver, and of the time when there was only one."""
    try:
        driver = fetch(variable("current_channel_storage_driver")["driver_name"]).decode()
        instance = variable("current_channel_storage_instance")
    except Exception:
        print('driver_name = "none: a container of its own"')
        return hash_objects(variable("channels", "channel.c"))
    print("driver_name = %s" % quoted(driver.encode()))
    if "cpp_map" in driver:
        return map_objects(pointer(instance["handle"], "struct mni_channelstorage_driver_pvt")["by_name"])
    return hash_objects(instance["handle"]["handle"])


@section("Channels")
def channels():
    n = 0
    for obj in limited(stored_channels()):
        channel = pointer(obj, "struct ast_channel")
        n += 1
        row("channel", name=lambda: text(channel["name"]), context=lambda: text(channel["context"]),
            exten=lambda: text(channel["exten"]), priority=lambda: number(channel["priority"]),
            state=lambda: name(channel["state"]), appl=lambda: text(channel["appl"]),
            data=lambda: text(channel["data"]),
            caller=lambda: nested(id=lambda: nested(
                number=lambda: nested(str=lambda: text(channel["caller"]["id"]["number"]["str"])),
                name=lambda: nested(str=lambda: text(channel["caller"]["id"]["name"]["str"])))),
            accountcode=lambda: text(channel["accountcode"]),
            peeraccount=lambda: text(channel["peeraccount"]),
            created=lambda: moment(channel["creationtime"]),
            bridge=lambda: text(channel["bridge"]["uniqueid"]) if int(channel["bridge"]) else "0x0")
    print("channels = %d" % n)
