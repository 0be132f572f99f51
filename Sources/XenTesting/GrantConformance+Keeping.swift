import XenCore
import XenGrant

// What a `GrantTable` keeps above its back end: books, limits, pools.
extension GrantConformance {
    static let keeping = [
        ConformanceCheck("the accounts tell what is held, and nothing when all is let go") { host in
            let share = try host.left.grants.share(
                pageCount: 2, with: host.right.domain, access: .readOnly)
            let mapping = try host.right.grants.map(
                share.references, of: host.left.domain, access: .readOnly)
            let given = host.left.grants.accounts
            try expect("shares", given.shares.map(\.references), is: [share.references])
            try expect("peers", given.shares.map(\.peer), is: [host.right.domain])
            try expect("kinds of access", given.shares.map(\.access), is: [.readOnly])
            let taken = host.right.grants.accounts
            try expect("mapped pages", taken.mappings.map(\.pages), is: [mapping.pages])
            try expect("mapped pages counted", taken.total.mapped, is: 2)
            try mapping.close()
            try share.close()
            try expect("what the left party holds", host.left.grants.accounts.total, is: .none)
            try expect("what the right party holds", host.right.grants.accounts.total, is: .none)
        },
        ConformanceCheck("a table's own limits hold up to the last page") { host in
            var limits = GrantLimits()
            limits.perPeer.shared = 3
            limits.total.mapped = 2
            let left = GrantTable(host.left.grantBackend, limits: limits)
            let right = GrantTable(host.right.grantBackend, limits: limits)
            let share = try left.share(pageCount: 3, with: host.right.domain)
            try expectRefusal(of: "a fourth page", as: .limitReached) { () throws(GrantError) in
                try left.share(pageCount: 1, with: host.right.domain).close()
            }
            let mapping = try right.map(Array(share.references[1...]), of: host.left.domain)
            try expectRefusal(of: "a third mapping", as: .limitReached) { () throws(GrantError) in
                try right.map([share.references[0]], of: host.left.domain).close()
            }
            try mapping.close()
            try right.map([share.references[0]], of: host.left.domain).close()
            try share.close()
            try left.share(pageCount: 3, with: host.right.domain).close()
        },
        ConformanceCheck("pages of a pool are granted once and mapped once, for many requests") {
            host in
            let pool = GrantPool(host.left.grants, peer: host.right.domain, pageLimit: 4)
            var cache = GrantMappingCache(host.right.grants, pageLimit: 4)
            for round in 0..<20 {
                let loan = try pool.lend(pageCount: 1 + round % 4)
                for page in 0..<loan.pageCount {
                    // Safe: the loan outlives each use of its pages here and below.
                    let memory = unsafe loan.memory(ofPage: page)
                    try host.left.store([UInt8(round), UInt8(page)], at: 4094, of: memory)
                }
                let pages = loan.references.granted(by: host.left.domain)
                let seen = try cache.withPages(pages) { pages in
                    for (index, page) in pages.enumerated() {
                        try host.right.store([UInt8(round + index)], at: 0, of: page)
                    }
                    return try pages.map { try host.right.bytes(at: 4094, count: 2, of: $0) }
                }
                let expected = (0..<loan.pageCount).map { [UInt8(round), UInt8($0)] }
                try expect("bytes of round \(round)", seen, is: expected)
                for page in 0..<loan.pageCount {
                    let memory = unsafe loan.memory(ofPage: page)
                    let answer = try host.left.bytes(at: 0, count: 1, of: memory)
                    try expect("answer of round \(round)", answer, is: [UInt8(round + page)])
                }
                loan.giveBack()
            }
            try expect("pages granted", pool.pageCounts.granted, is: 4)
            try expect("pages mapped anew", cache.statistics.missCount, is: 4)
            let references = host.left.grants.accounts.shares.flatMap(\.references)
            try cache.close()
            try pool.close()
            for reference in references {
                try expectRefusal(of: "\(reference), revoked", as: .badReference) {
                    () throws(GrantError) in
                    try host.right.grants.map([reference], of: host.left.domain).close()
                }
            }
        },
        ConformanceCheck("a cache unmaps what was used longest ago, and everything when it goes") {
            host in
            let share = try host.left.grants.share(pageCount: 5, with: host.right.domain)
            let pages = share.references.granted(by: host.left.domain)
            var cache = GrantMappingCache(host.right.grants, pageLimit: 2)
            for index in [0, 1, 2, 1, 3, 4, 0] {
                try host.left.store([UInt8(index + 1)], at: index * Page.byteCount, of: share)
                let byte = try cache.withPages([pages[index]]) {
                    try host.right.bytes(at: 0, count: 1, of: $0[0])
                }
                try expect("page \(index)", byte, is: [UInt8(index + 1)])
            }
            let kept = host.right.grants.accounts.mappings.flatMap(\.pages)
            try expect("pages kept", Set(kept), is: [pages[4], pages[0]])
            _ = consume cache
            try expect("what is mapped", host.right.grants.accounts.total.mapped, is: 0)
            try share.close()
            try expect("pages kept away", host.left.grants.quarantinedPageCount, is: 0)
        },
    ]
}
