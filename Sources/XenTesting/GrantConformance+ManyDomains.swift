import XenCore
import XenEvtchn
import XenGrant

// The right party maps pages of the left party's domain and of its own in one call. Where both are in one
// domain these are pages of two processes.
extension GrantConformance {
    static let manyDomains = [
        ConformanceCheck("pages of several domains are mapped in one call, in the order asked for")
        {
            host in
            let theirs = try host.left.grants.share(pageCount: 3, with: host.right.domain)
            let ours = try host.right.grants.share(pageCount: 3, with: host.right.domain)
            for page in 0..<3 {
                try host.left.store(
                    [UInt8(10 + page)], at: page * Page.byteCount + page, of: theirs)
                try host.right.store([UInt8(20 + page)], at: page * Page.byteCount + page, of: ours)
            }
            let left = theirs.references.granted(by: host.left.domain)
            let right = ours.references.granted(by: host.right.domain)
            let pages = [right[2], left[0], left[2], right[0], left[1], right[1]]
            let mapping = try host.right.grants.map(pages)
            try expect("the mapped pages", mapping.pages, is: pages)
            for (index, page) in [2, 0, 2, 0, 1, 1].enumerated() {
                let byte = try host.right.bytes(
                    at: index * Page.byteCount + page, count: 1, of: mapping)
                try expect("page \(index)", byte, is: [[22, 10, 12, 20, 11, 21][index]])
                try host.right.store(
                    [UInt8(30 + index)], at: index * Page.byteCount + 4000, of: mapping)
            }
            for (page, value) in [(0, 31), (1, 34), (2, 32)] {
                let byte = try host.left.bytes(
                    at: page * Page.byteCount + 4000, count: 1, of: theirs)
                try expect("their page \(page)", byte, is: [UInt8(value)])
            }
            for (page, value) in [(0, 33), (1, 35), (2, 30)] {
                let byte = try host.right.bytes(
                    at: page * Page.byteCount + 4000, count: 1, of: ours)
                try expect("our page \(page)", byte, is: [UInt8(value)])
            }
            try mapping.close()
            try theirs.close()
            try ours.close()
        },
        ConformanceCheck("one bad page among those of several domains maps nothing") { host in
            let theirs = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let ours = try host.right.grants.share(pageCount: 1, with: host.right.domain)
            let good =
                theirs.references.granted(by: host.left.domain)
                + ours.references.granted(by: host.right.domain)
            let bad = [
                GrantedPage(GrantReference(.max), of: host.left.domain),
                GrantedPage(theirs.references[0], of: host.stranger),
            ]
            for page in bad {
                for index in 0...good.count {
                    var pages = good
                    pages.insert(page, at: index)
                    try expectRefusal(of: "a list with \(page)", as: .badReference) {
                        () throws(GrantError) in try host.right.grants.map(pages).close()
                    }
                }
            }
            // Nothing is left mapped: else revoking would fail, or keep the pages away.
            try theirs.close()
            try ours.close()
        },
        ConformanceCheck("all pages of a mapping have the access that was asked for") { host in
            let theirs = try host.left.grants.share(
                pageCount: 1, with: host.right.domain, access: .readOnly)
            let ours = try host.right.grants.share(pageCount: 1, with: host.right.domain)
            let pages =
                ours.references.granted(by: host.right.domain)
                + theirs.references.granted(by: host.left.domain)
            try expectRefusal(of: "writing to a read-only grant", as: .badReference) {
                () throws(GrantError) in try host.right.grants.map(pages).close()
            }
            let mapping = try host.right.grants.map(pages, access: .readOnly)
            for page in 0..<2 {
                let memory = unsafe mapping.memory.slice(
                    offset: page * Page.byteCount, byteCount: Page.byteCount)
                try expect(
                    "page \(page) may be written", host.right.pages.isWritable(memory), is: false)
            }
            try mapping.close()
            try theirs.close()
            try ours.close()
        },
        ConformanceCheck("a mapping of several domains' pages has one notification, on any page") {
            host in
            for byte in [0, 77, Page.byteCount - 1, Page.byteCount, 2 * Page.byteCount - 1] {
                let doorbell = try Doorbell(host)
                let theirs = try host.left.grants.share(pageCount: 1, with: host.right.domain)
                let ours = try host.right.grants.share(pageCount: 1, with: host.right.domain)
                let ones = [UInt8](repeating: 1, count: Page.byteCount)
                try host.left.store(ones, at: 0, of: theirs)
                try host.right.store(ones, at: 0, of: ours)
                let mapping = try host.right.grants.map(
                    theirs.references.granted(by: host.left.domain)
                        + ours.references.granted(by: host.right.domain),
                    notification: UnmapNotification(
                        clearByte: byte, notifyPort: doorbell.right.port))
                try expectSilence(on: host.left, "while the pages are mapped")
                try mapping.close()
                try expectRing(of: doorbell.left.port, on: host.left, "after the unmapping")
                try expectSilence(on: host.left, "after the one ring")
                let bytes =
                    try host.left.bytes(at: 0, count: Page.byteCount, of: theirs)
                    + host.right.bytes(at: 0, count: Page.byteCount, of: ours)
                let cleared = bytes.indices.filter { bytes[$0] == 0 }
                try expect("cleared bytes of both pages", cleared, is: [byte])
                try doorbell.close()
                try theirs.close()
                try ours.close()
            }
        },
        ConformanceCheck("a mapping and each share in it have notifications of their own") { host in
            let ofMapping = try Doorbell(host)
            let ofTheirs = try Doorbell(host)
            let ofOurs = try Doorbell(host)
            let theirs = try host.left.grants.share(
                pageCount: 1, with: host.right.domain,
                notification: UnmapNotification(clearByte: 1, notifyPort: ofTheirs.left.port))
            let ours = try host.right.grants.share(
                pageCount: 1, with: host.right.domain,
                notification: UnmapNotification(clearByte: 2, notifyPort: ofOurs.right.port))
            try host.left.store([1, 1, 1], at: 0, of: theirs)
            try host.right.store([1, 1, 1], at: 0, of: ours)
            let mapping = try host.right.grants.map(
                ours.references.granted(by: host.right.domain)
                    + theirs.references.granted(by: host.left.domain),
                notification: UnmapNotification(
                    clearByte: Page.byteCount, notifyPort: ofMapping.right.port))
            try mapping.close()
            try expectRing(of: ofMapping.left.port, on: host.left, "after the unmapping")
            let bytes =
                try host.left.bytes(at: 0, count: 3, of: theirs)
                + host.right.bytes(at: 0, count: 3, of: ours)
            try expect("the bytes after the unmapping", bytes, is: [0, 1, 1, 1, 1, 1])
            try expectSilence(on: host.right, "before the revocation")
            try theirs.close()
            try expectRing(of: ofTheirs.right.port, on: host.right, "after their revocation")
            try expectSilence(on: host.left, "before our revocation")
            try ours.close()
            try expectRing(of: ofOurs.left.port, on: host.left, "after our revocation")
            try ofMapping.close()
            try ofTheirs.close()
            try ofOurs.close()
        },
    ]
}
