extension StoreTable {
    static let permissions = [
        StoreTable(
            "permissions decide",
            """
            3 0 READ /tool| => !EACCES
            3 0 READ /nothing| => !EACCES
            ~ oxenstored => !ENOENT # it looks for the node first, then at permissions
            3 0 WRITE /x|1 => !EACCES
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WRITE own|1 => OK|
            3 0 GET_PERMS own| => n3|
            3 0 READ missing| => !ENOENT
            4 0 READ /local/domain/3/own| => !EACCES
            4 0 READ /local/domain/3/missing| => !EACCES
            ~ oxenstored => !ENOENT # as above
            3 0 SET_PERMS own|n3|r4| => OK|
            4 0 READ /local/domain/3/own| => 1
            4 0 WRITE /local/domain/3/own|2 => !EACCES
            3 0 SET_PERMS own|n3|b4|n4| => OK|
            4 0 WRITE /local/domain/3/own|2 => OK|
            4 0 SET_PERMS /local/domain/3/own|n3|b5| => !EACCES
            3 0 SET_PERMS own|n4| => !EPERM
            ~ oxenstored => !EACCES # another name for it
            3 0 SET_PERMS own|n3|r1|r2|r4|r5|r6| => !ENOSPC
            ~ oxenstored => OK| # it has no quota on entries
            4 0 WRITE /local/domain/3/own/below|3 => OK|
            ~ oxenstored => !EACCES # 4's entry went in the line above
            0 0 GET_PERMS /local/domain/3/own/below| => n4|b4|n4|
            ~ oxenstored => !ENOENT # as above
            0 0 SET_PERMS /local/domain/3|r3| => OK|
            4 0 READ /local/domain/3/missing| => !ENOENT
            0 0 GET_PERMS @releaseDomain| => n0|
            ~ xenstored => !EINVAL # it lets special paths' permissions be set, not read
            3 0 GET_PERMS @releaseDomain| => !EACCES
            ~ xenstored => !EINVAL # as above
            0 0 SET_PERMS @releaseDomain|n0|r3| => OK|
            3 0 GET_PERMS @releaseDomain| => n0|r3|
            ~ xenstored => !EINVAL # as above
            0 0 GET_PERMS @unknown| => !ENOENT
            ~ xenstored => !EINVAL # as above
            """),
        StoreTable(
            "a domain may act for its target",
            """
            0 0 WRITE /for-3|x => OK|
            0 0 SET_PERMS /for-3|n0|r3| => OK|
            3 0 READ /for-3| => x
            4 0 READ /for-3| => !EACCES
            0 0 SET_TARGET 4|5| => !ENOENT
            ~ oxenstored => OK| # it takes any number
            0 0 SET_TARGET 4|3| => OK|
            4 0 READ /for-3| => x
            """),
    ]
}
