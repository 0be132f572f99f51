import Logging
import XenStoreServer

/// The server's notices on their way to the log: whoever reads it may be slow, and the server must not wait.
struct NoticeLog {
    /// Takes notices from the server's thread, and drops them while too many wait.
    let sink: @Sendable (StoreServerNotice) -> Void
    private let writer: Task<Void, Never>

    /// The most notices that wait to be written.
    private static let limit = 1024

    init(_ log: Logger) {
        let (notices, continuation) = AsyncStream.makeStream(
            of: StoreServerNotice.self, bufferingPolicy: .bufferingOldest(Self.limit))
        sink = { continuation.yield($0) }
        writer = Task {
            for await notice in notices {
                // A client may have chosen the words.
                let text = Octets(Array(notice.description.utf8)).escaped
                log.log(level: notice.logLevel, "\(text)")
            }
        }
    }

    /// Writes no more.
    func end() { writer.cancel() }
}

extension StoreServerNotice {
    /// What somebody should look into is a warning.
    var logLevel: Logger.Level {
        switch self {
        case .ringReconnected, .lazyGuest, .softMemoryQuotaKept, .printed, .request: .info
        default: .warning
        }
    }
}
