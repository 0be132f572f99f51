extension StoreTable {
    static let watches = [
        StoreTable(
            "watches tell of changes",
            """
            0 0 WATCH /a|t| => OK| ; 0</a|t|
            0 0 WATCH /a|t| => !EEXIST
            0 0 WATCH /a|u| => OK| ; 0</a|u|
            0b 0 WRITE /a/b|1 => 0</a/b|t| ; 0</a/b|u| ; OK|
            0b 0 WRITE /ab|1 => OK|
            0 0 UNWATCH /a|u| => OK|
            0 0 UNWATCH /a|u| => !ENOENT
            0b 0 MKDIR /a/b| => OK|
            0b 0 SET_PERMS /a/b|n0| => 0</a/b|t| ; OK|
            0b 0 WATCH /a/b/c|deep| => OK| ; 0b</a/b/c|deep|
            0 0 WRITE /a/b/c|1 => 0</a/b/c|t| ; 0b</a/b/c|deep| ; OK|
            0 0 RM /a/b| => 0b</a/b/c|deep| ; 0</a/b|t| ; OK|
            0 0 WATCH home|r| => OK| ; 0<home|r|
            0 0 WRITE home/x|1 => 0<home/x|r| ; OK|
            0 0 WRITE /local/domain/0/home|1 => 0<home|r| ; OK|
            0 0 UNWATCH /local/domain/0/home|r| => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 WRITE /lost|1 => OK|
            0 0 RESET_WATCHES | => OK|
            0 1 READ /lost| => !ENOENT
            ~ oxenstored => !EIO # its answer to unknown transactions
            0 0 READ /lost| => !ENOENT
            0 0 WRITE /a|1 => OK|
            """),
        StoreTable(
            "watches tell only who may read",
            """
            0 0 MKDIR /secret| => OK|
            3 0 WATCH /secret|t| => OK| ; 3</secret|t|
            0 0 WRITE /secret|1 => OK|
            0 0 SET_PERMS /secret|n0|r3| => 3</secret|t| ; OK|
            0 0 WRITE /secret|2 => 3</secret|t| ; OK|
            0 0 WRITE /secret/child|2 => 3</secret/child|t| ; OK|
            0 0 SET_PERMS /secret/child|n0| => 3</secret/child|t| ; OK|
            0 0 SET_PERMS /secret|n0| => 3</secret|t| ; OK|
            0 0 RM /secret| => OK|
            """),
    ]
}
