#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeded.py PACKAGE FOLDER: packages like PACKAGE, each with one leak put in by hand and a manifest that fits, or
tampered with in one way: FOLDER/leak-*.tar.gz, strict-*.tar.gz (leaks under the strict policy alone), change-*.tar.gz;
same.tar.gz has nothing changed.
seeded.py --judge VERDICT FOLDER: did verify --json find each of those that it was given, at its line?"""
import base64
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import sys
import tarfile
import zipfile

SECRET = "Zx9-trunk-Obsidian-22"	# of the example's configuration, learned with --learn
ODD = "mQ7#tundra_vale"			# one whose escapes show
PHONE = "+442079460958"			# of the private map
NAME = "Marisol Quenneville"


def line(text, place=0.5):
    """Puts a line into a text, at a line end near the place."""
    def put(data):
        at = data.find(b"\n", int(len(data) * place)) + 1
        return data[:at] + text.encode() + b"\n" + data[at:]
    return put


def local(text):
    """Puts a variable into a frame, behind a whole one."""
    def put(data):
        at = re.compile(rb"^        \w+ = \d+\n", re.M).search(data, len(data) // 2).end()
        return data[:at] + b"        " + text.encode() + b"\n" + data[at:]
    return put


def before(mark, text):
    def put(data):
        at = data.index(mark.encode())
        return data[:at] + text.encode() + data[at:]
    return put


def archive_zip(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("call.log", data)
    return out.getvalue()


def archive_tar(name, data, **header):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        for key, value in header.items():
            setattr(info, key, value)
        t.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def add(name, data):
    return {"add": (name, data)}


said = "the peer said %s and hung up\n"
full, brief, info = "-full.txt", "-brief.txt", "-info.txt"
hexed = SECRET.encode().hex()
LEAKS = {
    # every kind, as a rule knows it
    "phone": (full, line('        to = "sip:+14155550199@pbx"')),
    "ip4": (full, line('        peer = "203.0.113.201"')),
    "ip4-lan": (full, line('        peer = "10.20.30.40"')),
    "ip6": (full, line('        peer = "2001:db8:77::15"')),
    "ip6-lan": (full, line('        peer = "fd12:3456:789a::5"')),
    "mac": (full, line('        phone = "00:00:5e:00:53:9f"')),
    "email": (full, line('        mail = "jo.hampton@example.org"')),
    "secret": (full, line('        line = "password=Tern-88-harbour"')),
    "token": (full, line('        line = "Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"')),
    "key": (full, line("        line = \"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                       "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\"")),
    "hash": (full, line('        line = "md5secret=5f4dcc3b5aa765d61d8327deb882cf99"')),
    "strict user": (full, line('        line = "user=jhampton77 logged in"')),
    "name": (full, line('        callerid = "Jolanda Hampton <+14155550199>"')),
    "strict host": (full, line('        line = "host=db-17.internal.example.com"')),
    "strict path": (full, local('pw_dir = 0x55d0c0 "/srv/people/jhampton77"')),
    "account": (full, local('accountcode = "4417-jhampton"')),
    "card": (full, line('        line = "card 4111 1111 1111 1111 ok"')),
    "dtmf": (full, line('        digits = "4471#0928"')),
    # each encoding of what is known
    "plain": (brief, line(said % SECRET)),
    "gdb-escapes": (full, line('        line = "to \\"' + ODD.replace("#", "\\043") + '\\"\\000"')),
    "hex": (brief, line(said % hexed)),
    "hex-upper": (brief, line(said % hexed.upper())),
    "base64": (brief, line(said % base64.b64encode(SECRET.encode()).decode())),
    "base64-1": (brief, line(said % base64.b64encode(b"x" + SECRET.encode()).decode())),
    "base64-2": (brief, line(said % base64.b64encode(b"xy" + SECRET.encode()).decode())),
    "url": (brief, line(said % ODD.replace("#", "%23"))),
    "json": (brief, line('{"p": "' + "".join("\\u%04x" % ord(c) for c in SECRET) + '"}')),
    "utf16": (brief, lambda d: d + SECRET.encode("utf-16-le")),
    "utf16-escaped": (full, line('        w = "' + "".join(c + "\\000" for c in SECRET) + '"')),
    "integer": (full, line("        sin_addr = {s_addr = 1299251403}")),
    "number-known": (brief, line(said % PHONE[1:])),
    "name-known": (brief, line(said % NAME)),
    # each kind of file
    "thread1": ("-thread1.txt", line(said % SECRET)),
    "locks": ("-locks.txt", line(said % PHONE)),
    "info": (info, line(said % SECRET)),
    "readme": ("README.txt", line(said % PHONE)),
    "page-text": ("review.html", before("</main>", "<p>" + said % ODD + "</p>")),
    "page-entities": ("review.html", before("</main>", "<p>" + said % ODD.replace("#", "&#35;") + "</p>")),
    "page-split": ("review.html", before("</main>", "<p>Zx9-trunk-<b>Obsidian</b>-22</p>")),
    "page-attribute": ("review.html", before("</main>", '<p title="%s">x</p>' % SECRET)),
    "page-comment": ("review.html", before("</main>", "<!-- call sip:%s@pbx -->" % PHONE)),
    "manifest": ("manifest.json", lambda d: d.replace(b'"signal": "SIGSEGV"', b'"signal": "%s"' % SECRET.encode())),
    "log": add("attachments/more.log", (said % SECRET).encode()),
    "conf": add("attachments/more.conf", ("[x]\nsecret=%s\n" % SECRET).encode()),
    "gz": add("attachments/more.log.gz", gzip.compress((said % PHONE).encode(), mtime=0)),
    "xz": add("attachments/more.log.xz", lzma.compress((said % SECRET).encode())),
    "zip": add("attachments/more.zip", archive_zip(said % SECRET)),
    "tar": add("attachments/more.tar.gz", archive_tar("a.log", (said % PHONE).encode())),
    "zip-in-tar": add("attachments/more.tar.gz", archive_tar("in.zip", archive_zip(said % SECRET))),
    "member-name": add("attachments/call-from-sip:%s@pbx.log" % PHONE, b"nothing\n"),
    "name-in-archive": add("attachments/more.tar.gz", archive_tar("from-%s.log" % SECRET, b"nothing\n")),
    "owner-in-archive": add("attachments/more.tar.gz", archive_tar("a.log", b"nothing\n", uname=SECRET)),
}


def extra(files):
    files["attachments/extra.log"] = b"nothing\n"


def missing(files):
    del files["README.txt"]


def changed(files):
    name = next(n for n in files if n.endswith(full))
    files[name] = files[name].replace(b"thread", b"thrEad", 1)


def grown(files):
    name = next(n for n in files if n.endswith(full))
    files[name] += b"\n"


def edit_manifest(change):
    def edit(files):
        m = json.loads(files["manifest.json"])
        change(m)
        files["manifest.json"] = json.dumps(m, indent=2).encode()
    return edit


CHANGES = {
    # what happens to the files; or a word that write() knows
    "extra": extra,
    "missing": missing,
    "hash": changed,
    "size": grown,
    "schema": edit_manifest(lambda m: m.update(note="trust me")),
    "wrong-schema": edit_manifest(lambda m: m.update(schema="corescrub-manifest-9")),
    "no-manifest": lambda files: files.pop("manifest.json"),
    "key-twice": lambda files: files.update({"manifest.json": files["manifest.json"].replace(
        b'"open": 0', b'"open": 0, "open": 0')}),
    "listed-twice": edit_manifest(lambda m: m["files"].append(m["files"][0])),
    "ruleset": edit_manifest(lambda m: m.update(ruleset="0" * 64)),
    "duplicate": "duplicate", "link": "link", "leads-out": "leads-out", "gzip-name": "gzip-name",
    "behind": "behind", "cut": "cut", "owner": "owner", "second-stream": "second-stream",
}


def read(package):
    with tarfile.open(package) as t:
        members = t.getmembers()
        root = members[0].name.split("/")[0]
        files = {m.name.split("/", 1)[1]: t.extractfile(m).read() for m in members}
    return root, members[0].mtime, files


def fit(files):
    """The manifest's list as the files are now."""
    m = json.loads(files["manifest.json"])
    kinds = {f["path"]: f["kind"] for f in m["files"]}
    m["files"] = [{"path": n, "size": len(d), "sha256": hashlib.sha256(d).hexdigest(),
                   "kind": kinds.get(n, "attachment")} for n, d in sorted(files.items()) if n != "manifest.json"]
    files["manifest.json"] = json.dumps(m, indent=2).encode()


def write(path, root, mtime, files, how=""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as t:
        for name, data in sorted(files.items()):
            info = tarfile.TarInfo("%s/%s" % (root, name))
            info.size, info.mtime, info.uname, info.gname = len(data), mtime, "root", "root"
            if how == "leads-out" and name == "README.txt":
                info.name = "%s/../README.txt" % root
            if how == "owner":
                info.uname = "jhampton"
            t.addfile(info, io.BytesIO(data))
            if how == "duplicate" and name == "README.txt":
                t.addfile(info, io.BytesIO(data))
        if how == "link":
            info = tarfile.TarInfo("%s/zz" % root)
            info.type, info.linkname, info.mtime = tarfile.SYMTYPE, "/etc/passwd", mtime
            t.addfile(info)
    tar = out.getvalue().rstrip(b"\0")
    tar += bytes(-len(tar) % 512 + 1024)
    with open(path, "wb") as f:
        if how == "gzip-name":
            with gzip.GzipFile("from-jhampton", "wb", mtime=0, fileobj=f) as z:
                z.write(tar)
            return
        packed = gzip.compress(tar, mtime=0)
        if how == "behind":
            packed += b"more"
        if how == "second-stream":
            packed = gzip.compress(tar[:4096], mtime=0) + gzip.compress(tar[4096:], mtime=0)
        f.write(packed[:len(packed) // 2] if how == "cut" else packed)


def file_of(folder, name):
    return "%s/%s.tar.gz" % (folder, name.replace(" ", "-") if " " in name else "leak-" + name)


def make(package, folder):
    root, mtime, whole = read(package)
    places = {}
    os.makedirs(folder)
    for name, what in LEAKS.items():
        files = dict(whole)
        if isinstance(what, dict):
            files[what["add"][0]] = what["add"][1]
        else:
            member = next(n for n in files if n.endswith(what[0]))
            old = files[member]
            files[member] = what[1](old)
            same = os.path.commonprefix([old, files[member]])
            assert files[member] != old, name
            if member != "manifest.json":
                places[file_of(folder, name)] = [member, same.count(b"\n") + 1]
        fit(files)
        write(file_of(folder, name), root, mtime, files)
    for name, what in CHANGES.items():
        files = dict(whole)
        if callable(what):
            what(files)
        write("%s/change-%s.tar.gz" % (folder, name), root, mtime, files, "" if callable(what) else what)
    write("%s/same.tar.gz" % folder, root, mtime, dict(whole))
    with open("%s/places" % folder, "w") as f:
        json.dump(places, f)


def is_found(name, folder, found, places):
    file = file_of(folder, name)
    # what only the form of an archive tells is a change of it
    levels = ("leak", "change") if name == "owner-in-archive" else ("leak",)
    mine = [p for p in found if p["file"].startswith(file) and p["level"] in levels]
    if file in places:
        member, line = places[file]
        mine = [p for p in mine if (p["file"], p["line"]) == ("%s!/%s" % (file, member), line)]
    return bool(mine)


def judge(verdict, folder):
    with open(verdict) as f:
        found = json.load(f)["findings"]
    with open("%s/places" % folder) as f:
        places = json.load(f)
    strict = any("/strict-" in p["file"] for p in found)
    leaks = [n for n in LEAKS if n.startswith("strict ") == strict]
    changes = [] if strict else list(CHANGES)
    missed = [n for n in leaks if not is_found(n, folder, found, places)]
    missed += [n for n in changes if not any(
        p["level"] == "change" and p["file"].startswith("%s/change-%s.tar.gz" % (folder, n)) for p in found)]
    print("%d leaks and %d changes looked for, %d missed: %s" % (len(leaks), len(changes), len(missed),
                                                                 " ".join(missed)))
    # nothing else: a leak's manifest fits, a change leaks nothing, what is the same is clean; in a manifest
    # that is none, digests look like keys
    odd = [p for p in found if not strict and p["level"] != "hint" and "owner-in-archive" not in p["file"] and
           "/%s-" % p["level"] not in p["file"] and not p["file"].endswith("/manifest.json")]
    for p in odd:
        print("not expected:", p["file"], p["rule"], p["what"])
    return bool(missed or odd)


if sys.argv[1] == "--judge":
    sys.exit(judge(sys.argv[2], sys.argv[3]))
make(sys.argv[1], sys.argv[2])
