import Testing
import XenCore
import XenStoreClient
import XenStoreServer

/// A path made of text that the test computes.
func path(_ text: String) throws -> StorePath { try StorePath(text) }

extension StoreServer {
    /// A client within this process that speaks for a domain.
    func client(_ domain: UInt16, timeout: Duration = .seconds(20)) throws -> StoreClient {
        try StoreClient(over: try connect(as: DomainID(domain)), requestTimeout: timeout)
    }
}

extension ReconnectPolicy {
    /// For tests whose server is soon there again.
    static let brief = ReconnectPolicy(
        shortestPause: .milliseconds(1), longestPause: .milliseconds(20))
}
