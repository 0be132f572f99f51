import XenCore
import XenEvtchn
import XenGrant
import XenRing

/// One epoch of a frontend: its ring, the pages for the data, its port, and what is under way in them.
///
/// Each slot has the pages of one request of the largest size, so that memory is never looked for.
final class FrontendConnection {
    /// What a response turned out to be.
    enum Answer {
        case to(PendingRequest, Result<[UInt8], BlockError>)
        /// The caller no longer waits for it.
        case unwanted
        /// It carries an id of an older epoch.
        case stale
    }

    private static let slotCount = 32
    private static let slotByteCount = BlockRequest.segmentLimit * Page.byteCount

    let epoch: Epoch
    private var ring: FrontRing<BlockRequest, BlockResponse>
    private var ringShare: GrantShare
    private var dataShare: GrantShare
    private let channel: EventChannel

    /// When to try again to revoke what an old backend maps.
    private var nextAttempt: ContinuousClock.Instant?

    private var requests: RequestTable<BlockRequest, PendingRequest, UInt64>

    init(
        _ epoch: Epoch, backend: DomainID, grants: GrantTable, events: EventChannels
    ) throws {
        self.epoch = epoch
        ringShare = try grants.share(pageCount: 1, with: backend)
        dataShare = try grants.share(
            pageCount: Self.slotCount * BlockRequest.segmentLimit, with: backend)
        channel = try events.bindUnbound(for: backend)
        requests = RequestTable(capacity: Self.slotCount, epoch: epoch)
        // Safe: `ringShare` lives as long as the ring, both in this object.
        ring = unsafe FrontRing(initializing: ringShare.memory)
    }

    /// The nodes by which the backend finds this epoch.
    var published: [String: String] {
        [
            "ring-ref": "\(ringShare.references[0].rawValue)",
            "event-channel": "\(channel.port.rawValue)",
            "protocol": "x86_64-abi", "feature-persistent": "1",
        ]
    }

    /// What the backend may map.
    let pageCount = 1 + slotCount * BlockRequest.segmentLimit

    var hasRoom: Bool { requests.freeCount > 0 }
    var hasUnanswered: Bool { requests.waitingCount + requests.abandonedCount > 0 }

    /// Puts a request into the ring. There is room.
    func send(_ pending: PendingRequest) {
        let request = requests.issue(pending) { id, slot in
            var request = BlockRequest(
                operation: pending.operation, id: id, sector: pending.sector)
            switch pending.operation {
            case .read, .write: fill(&request, pending, slot)
            case .discard: request.discardSectorCount = pending.sectorCount
            default: break
            }
            return request
        }
        let wasPushed = request.map { ring.push($0) } ?? false
        precondition(wasPushed, "no room in the ring")
    }

    /// Shows the backend what was sent.
    ///
    /// - Returns: whether it had to be notified.
    func publish() throws -> Bool {
        guard ring.publish() == .required else { return false }
        try channel.notify()
        return true
    }

    /// Rings the backend although nothing is new.
    func notify() throws { try channel.notify() }

    /// The next answer that the backend has given; nil when it will notify us of the next one.
    ///
    /// Throws when it answers what was not asked.
    func nextAnswer() throws -> Answer? {
        guard let response = try ring.next() else { return nil }
        switch requests.match(response.id) {
        case .answered(let request):
            let pending = request.payload
            return .to(pending, result(of: pending, response.status, request.slot))
        case .abandoned: return .unwanted
        case .stale: return .stale
        case .duplicate: throw unasked(response.id, "again")
        case .unknown: throw unasked(response.id, "which nobody made")
        }
    }

    /// Takes back all that is unanswered, oldest first: it belongs to the next epoch.
    func takeUnanswered() -> [PendingRequest] { requests.takeUnanswered().map(\.payload) }

    /// Takes back the requests that `shouldEnd` names. Their slots stay in use until the backend answers.
    func abandon(where shouldEnd: (PendingRequest) -> Bool) -> [PendingRequest] {
        requests.abandon(where: shouldEnd)
    }

    /// Counts the answers that came after this epoch was over, and revokes what the old backend has let go of.
    ///
    /// - Parameter isUrgent: look at the pages now, since they are wanted back or no later call will come.
    /// - Returns: the late answers, and whether nothing is left of this epoch.
    func retire(
        _ now: ContinuousClock.Instant, isUrgent: Bool
    ) -> (staleCount: Int, isGone: Bool) {
        // A broken ring has nothing more to count.
        let staleCount = (try? ring.discardResponses()) ?? 0
        // Trying costs a look at every page, and the old backend's events come as fast as it likes.
        if !isUrgent, let nextAttempt, now < nextAttempt { return (staleCount, false) }
        nextAttempt = now + .milliseconds(100)
        do {
            try dataShare.revoke()
            try ringShare.revoke()
            return (staleCount, true)
        } catch {
            // A share that is lost with its handle or its domain needs no more keeping.
            return (staleCount, error.code != .inUse)
        }
    }

    private func unasked(_ id: UInt64, _ why: String) -> BlockError {
        BlockError(
            code: .badBackend, message: "the backend answered request \(id), \(why)")
    }

    private func fill(_ request: inout BlockRequest, _ pending: PendingRequest, _ slot: Int) {
        let firstPage = slot * BlockRequest.segmentLimit
        var left = Int(pending.sectorCount)
        var index = 0
        while left > 0 {
            let count = min(left, BlockSector.countPerPage)
            request.segments[index] = BlockSegment(
                reference: dataShare.references[firstPage + index].rawValue,
                firstSector: 0, lastSector: UInt8(count - 1))
            left -= count
            index += 1
        }
        request.segmentCount = UInt8(index)
        dataShare.store(pending.data, at: slot * Self.slotByteCount)
    }

    private func result(
        of pending: PendingRequest, _ status: Int16, _ slot: Int
    ) -> Result<[UInt8], BlockError> {
        switch BlockStatus(rawValue: status) {
        case .okay:
            guard pending.operation == .read else { return .success([]) }
            return .success(
                dataShare.bytes(at: slot * Self.slotByteCount, count: pending.byteCount))
        case .notSupported:
            return .failure(
                BlockError(code: .notSupported, message: "the backend does not support this"))
        default:
            return .failure(
                BlockError(
                    code: .failed,
                    message: "\(pending.sectorCount) sectors at \(pending.sector): "
                        + "the backend answered \(status)"))
        }
    }
}
