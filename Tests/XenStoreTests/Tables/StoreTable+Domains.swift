extension StoreTable {
    static let domains = [
        StoreTable(
            "domains come and go",
            """
            0 0 WATCH @introduceDomain|i| => OK| ; 0<@introduceDomain|i|
            0 0 WATCH @releaseDomain|r| => OK| ; 0<@releaseDomain|r|
            introduce 3 => 0<@introduceDomain|i|
            3 0 WATCH @introduceDomain|i| => OK| ; 3<@introduceDomain|i|
            0 0 IS_DOMAIN_INTRODUCED 3| => T|
            0 0 IS_DOMAIN_INTRODUCED 4| => F|
            0 0 INTRODUCE 4|1|5| => 0<@introduceDomain|i| ; OK|
            0 0 RESUME 4| => OK|
            0 0 RESUME 5| => !ENOENT
            ~ oxenstored => !EINVAL # another name for it
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WRITE data|1 => OK|
            0 0 WRITE /shared|1 => OK|
            0 0 SET_PERMS /shared|n0|r3|r4| => OK|
            release 3 => 3<closed ; 0<@releaseDomain|r|
            3 0 READ data| =>
            0 0 READ /local/domain/3| => !ENOENT
            0 0 GET_PERMS /shared| => n0|r4|
            ~ xenstored => n0|r3|r4| # it keeps entries of domains that have gone, and ignores them
            0 0 RELEASE 4| => 0<@releaseDomain|r| ; OK|
            ~ xenstored => OK| ; 0<@releaseDomain|r| # it replies first here
            0 0 RELEASE 4| => !ENOENT
            ~ oxenstored => !EINVAL # another name for it
            0 0 RELEASE 0| => !EINVAL
            ~ oxenstored => !ENOENT # another name for it
            """)
    ]
}
