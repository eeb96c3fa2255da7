# SPDX-License-Identifier: Apache-2.0
# The example exchange's state: a profile to copy from.


def exchange():
    return variable_in("main", "pbx")


def leg(value):
    codec = value["codec"]
    return nested(number=lambda: text(value["number"]),
                  codec=lambda: text(codec["name"]) if int(codec) else "0x0")


@section("Trunk")
def trunk():
    config = exchange()["config"]
    row("trunk", name=lambda: text(config["trunk"]["name"]), realm=lambda: text(config["realm"]),
        users=lambda: number(config["n_users"]))


@section("Calls")
def calls():
    pbx = exchange()
    for i in limited(range(min(int(pbx["n_calls"]), ROWS_MAX))):
        call = pbx["calls"][i]
        row("call", id=lambda: number(call["id"]), user=lambda: text(call["user"]["name"]),
            caller=lambda: leg(call["caller"]), callee=lambda: leg(call["callee"]),
            bridged=lambda: name(call["go_on"]))
    print("calls = %d" % int(pbx["n_calls"]))
