package import XenCore
package import XenEvtchn
package import XenGrant
import XenRing

/// A backend's end of one connection, without its thread: takes requests from the ring and answers them.
///
/// Only the storage can block it.
package struct BlockService: ~Copyable {
    private let mapping: GrantMapping
    private let channel: EventChannel
    private var ring: BackRing<BlockRequest, BlockResponse>
    private let storage: any BlockStorage
    private let pages: GrantedPages
    private let log: @Sendable (String) -> Void

    /// What was done so far.
    package private(set) var statistics = BlockBackendStatistics()

    /// Takes up what a frontend has published. Throws what is wrong with it, and what mapping and binding throw.
    ///
    /// - Parameters:
    ///   - mapPatience: how long a page that cannot be mapped yet is tried again, blocking.
    ///   - log: gets a sentence for each thing that the frontend does wrong, and for each event that did not come.
    package init(
        published: [String: String], of frontend: DomainID, storage: any BlockStorage,
        grants: GrantTable, events: EventChannels, mapPatience: Duration = GrantTable.mapPatience,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        let terms = try BlockTerms(published: published)
        let mapping = try grants.map([terms.ring], of: frontend, until: .after(mapPatience))
        channel = try events.bindInterdomain(to: terms.port, of: frontend)
        // Safe: the mapping and the ring are both in this value.
        ring = unsafe BackRing(attachingTo: mapping.memory)
        self.storage = storage
        pages = GrantedPages(
            grants: grants, domain: frontend, isPersistent: terms.isPersistent,
            mapPatience: mapPatience)
        self.log = log
        self.mapping = mapping
    }

    /// Answers the next request, and notifies the frontend if it wants that.
    ///
    /// Throws when the frontend has broken the ring.
    ///
    /// - Returns: false if there is none: the frontend notifies us of the next one.
    package mutating func serveNext() throws -> Bool {
        guard let request = try ring.next() else { return false }
        ring.push(answer(request))
        if ring.publish() == .required {
            statistics.notificationCount += 1
            try channel.notify()
        }
        return true
    }

    /// The same where no event came for long: what it finds is counted and logged, since an event was lost, or the
    /// frontend does not notify.
    package mutating func serveUnannounced() throws -> Bool {
        guard try serveNext() else { return false }
        statistics.unannouncedCount += 1
        log("a request was found of which no event had told; its frontend waited for it")
        return true
    }

    private mutating func answer(_ request: BlockRequest) -> BlockResponse {
        var status = BlockStatus.okay
        var byteCount = 0
        do {
            let command = try request.command(
                sectorCount: storage.sectorCount, isReadOnly: storage.isReadOnly)
            byteCount = try carryOut(command)
        } catch {
            status = Self.status(after: error)
            log("request \(request.id): \(error)")
        }
        statistics.requestCount += 1
        statistics.byteCount += UInt64(byteCount)
        if status != .okay { statistics.errorCount += 1 }
        return BlockResponse(to: request, status)
    }

    private static func status(after error: any Error) -> BlockStatus {
        switch error {
        case let fault as BlockRequestFault: fault.status
        // Of a disk that cannot discard, for example: a frontend does not ask again then.
        case let error as StorageError where error.errorNumber == .notSupported: .notSupported
        default: .error
        }
    }

    /// - Returns: the bytes that went from or to the storage.
    private func carryOut(_ command: BlockCommand) throws -> Int {
        switch command {
        case .read(let sector, let segments):
            try pages.withParts(segments, access: .readWrite) { parts in
                try storage.read(at: sector * UInt64(BlockSector.byteCount), into: parts)
            }
            return segments.reduce(0) { $0 + $1.byteCount }
        case .write(let sector, let segments):
            try pages.withParts(segments, access: .readOnly) { parts in
                try storage.write(at: sector * UInt64(BlockSector.byteCount), from: parts)
            }
            return segments.reduce(0) { $0 + $1.byteCount }
        case .flush:
            try storage.flush()
            return 0
        case .discard(let sector, let sectorCount):
            try storage.discard(
                at: sector * UInt64(BlockSector.byteCount),
                byteCount: sectorCount * UInt64(BlockSector.byteCount))
            return 0
        }
    }
}
