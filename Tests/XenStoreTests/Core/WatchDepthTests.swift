import Testing

@testable import XenStoreServer

/// Watches with a depth, and the special ones. (docs/misc/xenstore.txt, "Watches".)
@Suite struct WatchDepthTests {
    @Test func aDepthLimitsHowFarBelowAWatchLooks() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH /a|0|0| => OK| ; 0</a|0|
            0 0 WATCH /a|1|1| => OK| ; 0</a|1|
            0 0 WATCH /a|2|2| => OK| ; 0</a|2|
            0 0 WATCH /|root|1| => OK| ; 0</|root|
            0 0 WATCH /a|all| => OK| ; 0</a|all|
            0b 0 WRITE /a|x => 0</a|0| ; 0</a|1| ; 0</a|2| ; 0</a|root| ; 0</a|all| ; OK|
            0b 0 WRITE /a/b|x => 0</a/b|1| ; 0</a/b|2| ; 0</a/b|all| ; OK|
            0b 0 WRITE /a/b/c|x => 0</a/b/c|2| ; 0</a/b/c|all| ; OK|
            0b 0 WRITE /a/b/c/d|x => 0</a/b/c/d|all| ; OK|
            0b 0 RM /a/b| => 0</a/b|1| ; 0</a/b|2| ; 0</a/b|all| ; OK|
            0 0 WATCH /a|0|3| => !EEXIST
            0 0 UNWATCH /a|0| => OK|
            0b 0 WRITE /a|y => 0</a|1| ; 0</a|2| ; 0</a|root| ; 0</a|all| ; OK|
            0 0 WATCH /b|t|-1| => !EINVAL
            0 0 WATCH /b|t|| => OK| ; 0</b|t|
            0 0 WATCH /b|t|0|0| => !EINVAL
            check =>
            """)
    }

    @Test func aDepthNeedsItsFeature() throws {
        var script = Script()
        try script.run(
            """
            0 0 SET_FEATURE 3|1| => OK|
            3 0 WATCH a|t|1| => !EINVAL
            3 0 WATCH a|t| => OK| ; 3<a|t|
            4 0 WATCH a|t|1| => OK| ; 4<a|t|
            """)
    }

    @Test func specialWatchesWithADepthNameTheDomain() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH @introduceDomain|plain| => OK| ; 0<@introduceDomain|plain|
            0 0 WATCH @introduceDomain|zero|0| => OK| ; 0<@introduceDomain|zero|
            0 0 WATCH @introduceDomain|one|1| => OK| ; 0<@introduceDomain|one|
            0 0 WATCH @releaseDomain/5|five| => OK| ; 0<@releaseDomain/5|five|
            0 0 WATCH @releaseDomain|one|1| => OK| ; 0<@releaseDomain|one|
            0 0 WATCH @releaseDomain|plain| => OK| ; 0<@releaseDomain|plain|
            introduce 5 => 0<@introduceDomain|plain| ; 0<@introduceDomain/5|one|
            introduce 6 => 0<@introduceDomain|plain| ; 0<@introduceDomain/6|one|
            release 6 => detach 6 ; 0<@releaseDomain|plain| ; 0<@releaseDomain/6|one|
            release 5 => detach 5 ; 0<@releaseDomain|plain| ; 0<@releaseDomain/5|five| ; 0<@releaseDomain/5|one|
            """)
    }

    @Test func aShutdownIsToldOnceUntilResume() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH @releaseDomain|r| => OK| ; 0<@releaseDomain|r|
            shutdown 5 =>
            introduce 5 =>
            shutdown 5 => 0<@releaseDomain|r|
            shutdown 5 =>
            0 0 IS_DOMAIN_INTRODUCED 5| => T|
            0 0 RESUME 5| => OK|
            shutdown 5 => 0<@releaseDomain|r|
            release 5 => detach 5 ; 0<@releaseDomain|r|
            release 5 =>
            """)
    }

    @Test func eventsKeepTheOrderOfRegistration() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH /a/b|1| => OK| ; 0</a/b|1|
            0b 0 WATCH /a|2| => OK| ; 0b</a|2|
            0 0 WATCH /|3| => OK| ; 0</|3|
            0 0 WATCH /a/b/c|4| => OK| ; 0</a/b/c|4|
            0 0 WATCH /a|5| => OK| ; 0</a|5|
            0 0 WRITE /a/b/c|x => 0</a/b/c|1| ; 0</a/b/c|3| ; 0</a/b/c|4| ; 0</a/b/c|5| ; 0b</a/b/c|2| ; OK|
            0 0 UNWATCH /a/b|1| => OK|
            0 0 WATCH /a/b|1| => OK| ; 0</a/b|1|
            0 0 WRITE /a/b|x => 0</a/b|3| ; 0</a/b|5| ; 0</a/b|1| ; 0b</a/b|2| ; OK|
            check =>
            """)
    }

    @Test func aRemovedTreeIsToldDeepestAndOldestFirst() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /a/b/c|x => OK|
            0 0 WRITE /a/d|x => OK|
            0b 0 WATCH /a/d|d| => OK| ; 0b</a/d|d|
            0b 0 WATCH /a/b/c|c| => OK| ; 0b</a/b/c|c|
            0b 0 WATCH /a/b|b|0| => OK| ; 0b</a/b|b|
            0b 0 WATCH /|r|0| => OK| ; 0b</|r|
            0 0 RM /a| => 0b</a/b/c|c| ; 0b</a/b|b| ; 0b</a/d|d| ; OK|
            """)
    }
}
