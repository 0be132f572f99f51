import XenCore
import XenGrant

extension GrantConformance {
    static let refusals = [
        ConformanceCheck("a read-only grant cannot be mapped for writing") { host in
            let share = try host.left.grants.share(
                pageCount: 1, with: host.right.domain, access: .readOnly)
            try expectRefusal(of: "writing", as: .badReference) { () throws(GrantError) in
                try host.right.grants.map(share.references, of: host.left.domain).close()
            }
            try share.close()
        },
        ConformanceCheck("a reference that was never granted cannot be mapped") { host in
            // The reserved ones of a guest are dom0's: the toolstack grants it the console's page and the store's
            // (GNTTAB_RESERVED_CONSOLE, GNTTAB_RESERVED_XENSTORE in xen/include/public/grant_table.h).
            let isToolstack = host.right.domain == .dom0 && host.left.domain != .dom0
            let reserved: [UInt32] = isToolstack ? [] : [0, 1]
            for number in reserved + [1 << 20, 1 << 31, .max - 1, .max] {
                let reference = GrantReference(number)
                try expectRefusal(of: "\(reference)", as: .badReference) { () throws(GrantError) in
                    try host.right.grants.map([reference], of: host.left.domain).close()
                }
            }
        },
        ConformanceCheck("a revoked reference cannot be mapped") { host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            let references = share.references
            try share.close()
            for reference in references {
                try expectRefusal(of: "\(reference)", as: .badReference) { () throws(GrantError) in
                    try host.right.grants.map([reference], of: host.left.domain).close()
                }
            }
        },
        ConformanceCheck("a grant for another domain cannot be mapped") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.stranger)
            try expectRefusal(of: "a stranger's grant", as: .badReference) {
                () throws(GrantError) in
                try host.right.grants.map(share.references, of: host.left.domain).close()
            }
            try share.close()
        },
        ConformanceCheck("a domain that does not exist grants nothing") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            try expectRefusal(of: "a stranger's page", as: .badReference) { () throws(GrantError) in
                try host.right.grants.map(share.references, of: host.stranger).close()
            }
            try share.close()
        },
        ConformanceCheck("one bad reference among good ones maps nothing") { host in
            let share = try host.left.grants.share(pageCount: 2, with: host.right.domain)
            let references = [share.references[0], GrantReference(.max), share.references[1]]
            try expectRefusal(of: "a list with a bad one", as: .badReference) {
                () throws(GrantError) in
                try host.right.grants.map(references, of: host.left.domain).close()
            }
            let whole = try host.right.grants.map(share.references, of: host.left.domain)
            try whole.close()
            try share.close()
        },
        ConformanceCheck("a mapping is unmapped once") { host in
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            let backend = host.right.grantBackend
            let mapping = try backend.map(
                share.references.granted(by: host.left.domain), access: .readWrite,
                notification: nil)
            try backend.unmap(mapping)
            try expectRefusal(of: "a second unmapping", as: .notFound) { () throws(GrantError) in
                try backend.unmap(mapping)
            }
            try share.close()
        },
        ConformanceCheck("a share is revoked once") { host in
            let backend = host.left.grantBackend
            let share = try backend.share(
                pageCount: 1, with: host.right.domain, access: .readWrite, notification: nil)
            try backend.unshare(share)
            try expectRefusal(of: "a second revocation", as: .notFound) { () throws(GrantError) in
                try backend.unshare(share)
            }
        },
        ConformanceCheck("more pages than there may be are refused") { host in
            try expectRefusal(of: "a share of 100,000 pages", as: .limitReached) {
                () throws(GrantError) in
                try host.left.grants.share(pageCount: 100_000, with: host.right.domain).close()
            }
            let share = try host.left.grants.share(pageCount: 1, with: host.right.domain)
            try share.close()
        },
    ]
}
