import CStoreLoad
import Foundation
import XenStoreClient
import XenSystem

/// `xen-bench --ask CLIENT REQUEST`: a client of the store at `XENSTORED_PATH` in a process of its own, until its input
/// ends.
func askAsked(_ arguments: ArraySlice<String>) throws {
    guard arguments.count == 2, let asker = arguments.first.flatMap(StoreAsker.init(rawValue:)),
        let request = StoreRequest.allCases.first(where: { "\($0)" == arguments.last })
    else { throw UsageError(description: "--ask is for this program's own use") }
    switch asker {
    case .async, .inFlight:
        let client = try StoreClient.connect()
        let tasks: UInt64 = asker == .async ? 1 : 16
        try obey { count in
            try waiting { try await ask(client, request, count, tasks: tasks) }
        }
    case .blocking:
        let client = try BlockingStoreClient.connect()
        try obey { count in try ask(client, request, count) }
    case .libxenstore:
        #if LibXen
            // Safe: the handle lives as long as this process.
            guard let handle = unsafe cstore_library_open() else { throw SystemFailure("xs_open") }
            try obey { count in
                var sum: UInt64 = 0
                try unsafe StoreLoadFailure.check(
                    cstore_library_run(handle, request.work, 1000, count, &sum))
                return sum
            }
        #else
            throw UsageError(description: "libxenstore is not built in")
        #endif
    case .pyxs: throw UsageError(description: "pyxs is no part of this program")
    }
}

/// Does what each line of the input asks for, and reports.
private func obey(_ carry: (_ count: UInt64) throws -> UInt64) throws {
    while let line = readLine(), let count = UInt64(line) {
        let start = ContinuousClock.now
        let sum = try carry(count)
        show("\(Int(start.duration(to: .now) / .nanoseconds(1))) \(sum)")
    }
}
