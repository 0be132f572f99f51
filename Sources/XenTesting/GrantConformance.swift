import XenCore
import XenGrant

/// What every `GrantBackend` must do. The left party shares, the right one maps and copies.
public enum GrantConformance {
    public static let checks =
        sharing + manyDomains + copies + refusals + lifetimes + notifications + keeping
}

extension GrantConformance {
    static let sharing = [
        ConformanceCheck("each side sees the bytes that the other one writes") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let mapping = try host.right.grants.map(share.references, of: host.left.domain)
            try host.left.store([1, 2, 3], at: 0, of: share)
            try expect(
                "read by the peer", host.right.bytes(at: 0, count: 3, of: mapping), is: [1, 2, 3])
            try host.right.store([4, 5, 6], at: Page.byteCount - 3, of: mapping)
            let last = try host.left.bytes(at: Page.byteCount - 3, count: 3, of: share)
            try expect("written by the peer", last, is: [4, 5, 6])
            try mapping.close()
            try share.close()
        },
        ConformanceCheck("a page is zero when it is shared, whoever had it before") { host in
            for _ in 0..<3 {
                let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
                let bytes = try host.left.bytes(at: 0, count: share.byteCount, of: share)
                try expect(
                    "bytes of two new pages that are not zero", bytes.count { $0 != 0 }, is: 0)
                try host.left.store(
                    [UInt8](repeating: 0xEE, count: share.byteCount), at: 0, of: share)
                try share.close()
            }
        },
        ConformanceCheck("pages are mapped one after another in the order asked for") { host in
            let share = try host.left.grants.share(pageCount: 16, with: host.right.domain)
            for page in 0..<16 {
                try host.left.store([UInt8(page)], at: page * Page.byteCount + page, of: share)
            }
            let same = try host.right.grants.map(share.references, of: host.left.domain)
            let reversed = try host.right.grants.map(
                share.references.reversed(), of: host.left.domain)
            for page in 0..<16 {
                let found = try host.right.bytes(
                    at: page * Page.byteCount + page, count: 1, of: same)
                try expect("page \(page)", found, is: [UInt8(page)])
                let offset = (15 - page) * Page.byteCount + page
                let mirrored = try host.right.bytes(at: offset, count: 1, of: reversed)
                try expect("page \(page), mapped in reverse", mirrored, is: [UInt8(page)])
            }
            try same.close()
            try reversed.close()
            try share.close()
        },
        ConformanceCheck("every page has a reference of its own, and none is reserved") { host in
            let share = try host.left.grants.share(pageCount: 16, with: host.right.domain)
            try expect("references", share.references.count, is: 16)
            try expect("different references", Set(share.references).count, is: 16)
            let reserved = share.references.filter { $0.rawValue < 2 }
            try expect("reserved references", reserved, is: [])
            try share.close()
        },
        ConformanceCheck("a grant can be mapped twice, and each mapping goes by itself") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let first = try host.right.grants.map(share.references, of: host.left.domain)
            let second = try host.right.grants.map(share.references, of: host.left.domain)
            try host.right.store([7], at: 9, of: first)
            try expect(
                "the other mapping", host.right.bytes(at: 9, count: 1, of: second), is: [7])
            try first.close()
            try expect("what is left", host.right.bytes(at: 9, count: 1, of: second), is: [7])
            try second.close()
            try share.close()
        },
        ConformanceCheck("a read-only mapping of a writable grant can be read, and not written") {
            host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let mapping = try host.right.grants.map(
                share.references, of: host.left.domain, access: .readOnly)
            try expectReadOnly(mapping, of: share, host)
            try mapping.close()
            try share.close()
        },
        ConformanceCheck("a read-only grant is read by the peer, and written by its owner alone") {
            host in
            let share = try host.left.grants.share(
                pageCount: 1, with: host.right.domain, access: .readOnly)
            let mapping = try host.right.grants.map(
                share.references, of: host.left.domain, access: .readOnly)
            try expectReadOnly(mapping, of: share, host)
            try mapping.close()
            try share.close()
        },
    ]

    private static func expectReadOnly(
        _ mapping: borrowing GrantMapping, of share: borrowing GrantShare, _ host: ConformanceHost
    ) throws {
        try host.left.store([8], at: 0, of: share)
        try expect("the mapping may be written", host.right.isWritable(mapping), is: false)
        try expect("byte 0", host.right.bytes(at: 0, count: 1, of: mapping), is: [8])
        try expect("the share may be written", host.left.isWritable(share), is: true)
        try expect("byte 0 afterwards", host.right.bytes(at: 0, count: 1, of: mapping), is: [0])
    }
}
