import XenCore
import XenEvtchn
import XenGrant

extension GrantConformance {
    static let lifetimes = [
        ConformanceCheck(
            "a page that is revoked while mapped is not used again before it is unmapped"
        ) {
            host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let references = share.references
            let mapping = try host.right.grants.map(references, of: host.left.domain)
            try host.right.store([0xA5], at: 77, of: mapping)
            do throws(GrantError) {
                try share.close()  // the kernel keeps the page away from everyone
            } catch {
                try expect("revoking what is mapped (\(error))", error.code, is: .inUse)
                try expect("quarantined pages", host.left.grants.quarantinedPageCount, is: 1)
            }
            for _ in 0..<8 {
                let other = try host.left.grants.share(pageCount: 4, with: host.right.domain)
                try expect(
                    Set(references).isDisjoint(with: other.references),
                    "\(references) is mapped and was granted again in \(other.references)")
                try host.left.store(
                    [UInt8](repeating: 0xEE, count: other.byteCount), at: 0, of: other)
                try other.close()
            }
            let byte = try host.right.bytes(at: 77, count: 1, of: mapping)
            try expect("the mapped byte", byte, is: [0xA5])
            try mapping.close()
            try expect("pages still in quarantine", host.left.grants.sweepQuarantine(), is: 0)
        },
        ConformanceCheck("many shares and mappings come and go") { host in
            for round in 0..<host.rounds(100) {
                let share = try host.left.grants.share(pageCount: 3, with: host.right.domain)
                let mapping = try host.right.grants.map(share.references, of: host.left.domain)
                try host.left.store([UInt8(round)], at: 2 * Page.byteCount, of: share)
                let found = try host.right.bytes(at: 2 * Page.byteCount, count: 1, of: mapping)
                try expect("round \(round)", found, is: [UInt8(round)])
                try mapping.close()
                try share.close()
            }
        },
    ]

    static let notifications = [
        ConformanceCheck("an unmapping clears the byte and rings the port that it was told to") {
            host in
            for (pageCount, byte) in [(1, 0), (1, 100), (1, 4095), (3, 4096), (3, 8195)] {
                let doorbell = try Doorbell(host)
                let share = try host.left.grants.share(
                    pageCount: pageCount, with: host.right.domain)
                try host.left.store([UInt8](repeating: 1, count: share.byteCount), at: 0, of: share)
                let mapping = try host.right.grants.map(
                    share.references, of: host.left.domain,
                    notification: UnmapNotification(
                        clearByte: byte, notifyPort: doorbell.right.port))
                try expectSilence(on: host.left, "while the pages are mapped")
                try mapping.close()
                try expectRing(of: doorbell.left.port, on: host.left, "after the unmapping")
                let bytes = try host.left.bytes(at: 0, count: share.byteCount, of: share)
                let cleared = bytes.indices.filter { bytes[$0] == 0 }
                try expect("cleared bytes of \(pageCount) pages", cleared, is: [byte])
                try doorbell.close()
                try share.close()
            }
        },
        ConformanceCheck("a mapping's port rings although it was closed first") { host in
            let doorbell = try Doorbell(host)
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let mapping = try host.right.grants.map(
                share.references, of: host.left.domain,
                notification: UnmapNotification(notifyPort: doorbell.right.port))
            try doorbell.right.close()
            try mapping.close()
            try expectRing(of: doorbell.left.port, on: host.left, "after the unmapping")
            try doorbell.left.close()
            try share.close()
        },
        ConformanceCheck("a revocation rings the port that it was told to") { host in
            for pageCount in [1, 3] {
                let doorbell = try Doorbell(host)
                let share = try host.right.grants.share(
                    pageCount: pageCount, with: host.left.domain,
                    notification: UnmapNotification(
                        clearByte: pageCount * Page.byteCount - 1, notifyPort: doorbell.right.port))
                let mapping = try host.left.grants.map(share.references, of: host.right.domain)
                try mapping.close()
                try expectSilence(on: host.left, "before the revocation")
                try share.close()
                try expectRing(of: doorbell.left.port, on: host.left, "after the revocation")
                try doorbell.close()
            }
        },
        ConformanceCheck("a notification through a port that is not open is refused") { host in
            let notification = UnmapNotification(notifyPort: EventPort(.max))
            try expectRefusal(of: "ringing port 2^32-1 on revocation", as: .refused) {
                () throws(GrantError) in
                try host.left.grants.share(
                    pageCount: 1, with: host.right.domain, notification: notification
                ).close()
            }
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            try expectRefusal(of: "ringing port 2^32-1 on unmapping", as: .refused) {
                () throws(GrantError) in
                try host.right.grants.map(
                    share.references, of: host.left.domain, notification: notification
                ).close()
            }
            try share.close()
        },
        ConformanceCheck("a read-only mapping cannot clear a byte when it goes") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            try expectRefusal(of: "clearing a read-only byte", as: .refused) {
                () throws(GrantError) in
                try host.right.grants.map(
                    share.references, of: host.left.domain, access: .readOnly,
                    notification: UnmapNotification(clearByte: 0)
                ).close()
            }
            try share.close()
        },
    ]
}
