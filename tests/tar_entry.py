# SPDX-License-Identifier: Apache-2.0
"""A member for a tarball that a test makes."""
import tarfile


def entry(name, data=b"", type=tarfile.REGTYPE, **more):
    """Its header and bytes; `more` goes into the header as it is."""
    info = tarfile.TarInfo(name)
    info.type, info.size = type, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data
