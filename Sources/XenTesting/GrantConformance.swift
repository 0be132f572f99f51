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
            share.store([1, 2, 3], at: 0)
            try expect(
                "read by the peer", mapping.bytes(at: 0, count: 3), is: [1, 2, 3])
            mapping.store([4, 5, 6], at: Page.byteCount - 3)
            let last = share.bytes(at: Page.byteCount - 3, count: 3)
            try expect("written by the peer", last, is: [4, 5, 6])
            try mapping.close()
            try share.close()
        },
        ConformanceCheck("a page is zero when it is shared, whoever had it before") { host in
            for _ in 0..<3 {
                let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
                let bytes = share.bytes(at: 0, count: share.byteCount)
                try expect(
                    "bytes of two new pages that are not zero", bytes.count { $0 != 0 }, is: 0)
                share.store([UInt8](repeating: 0xEE, count: share.byteCount), at: 0)
                try share.close()
            }
        },
        ConformanceCheck("pages are mapped one after another in the order asked for") { host in
            let share = try host.left.grants.share(pageCount: 16, with: host.right.domain)
            for page in 0..<16 {
                share.store([UInt8(page)], at: page * Page.byteCount + page)
            }
            let same = try host.right.grants.map(share.references, of: host.left.domain)
            let reversed = try host.right.grants.map(
                share.references.reversed(), of: host.left.domain)
            for page in 0..<16 {
                let found = same.bytes(at: page * Page.byteCount + page, count: 1)
                try expect("page \(page)", found, is: [UInt8(page)])
                let offset = (15 - page) * Page.byteCount + page
                let mirrored = reversed.bytes(at: offset, count: 1)
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
            first.store([7], at: 9)
            try expect(
                "the other mapping", second.bytes(at: 9, count: 1), is: [7])
            try first.close()
            try expect("what is left", second.bytes(at: 9, count: 1), is: [7])
            try second.close()
            try share.close()
        },
        ConformanceCheck("a read-only mapping of a writable grant can be read, and not written") {
            host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let mapping = try host.right.grants.map(
                share.references, of: host.left.domain, access: .readOnly)
            try expectReadOnly(mapping, of: share)
            try mapping.close()
            try share.close()
        },
        ConformanceCheck("a read-only grant is read by the peer, and written by its owner alone") {
            host in
            let share = try host.left.grants.share(
                pageCount: 1, with: host.right.domain, access: .readOnly)
            let mapping = try host.right.grants.map(
                share.references, of: host.left.domain, access: .readOnly)
            try expectReadOnly(mapping, of: share)
            try mapping.close()
            try share.close()
        },
    ]

    private static func expectReadOnly(
        _ mapping: borrowing GrantMapping, of share: borrowing GrantShare
    ) throws {
        share.store([8], at: 0)
        try expect(
            "the mapping may be written", try unsafe mapping.memory.isWritable(), is: false)
        try expect("byte 0", mapping.bytes(at: 0, count: 1), is: [8])
        try expect("the share may be written", unsafe share.memory.isWritable(), is: true)
        try expect("byte 0 afterwards", mapping.bytes(at: 0, count: 1), is: [0])
    }
}
