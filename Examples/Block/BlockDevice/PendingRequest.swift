import XenCore

/// A frontend's request from the call to its answer, over as many epochs as that takes.
///
/// It keeps what is needed to issue it again: the shadow copy.
package struct PendingRequest: Sendable {
    /// Names the request for as long as it lives, in whatever slot of whatever epoch.
    let serial: UInt64
    let operation: BlockOperation
    let sector: UInt64
    /// Sectors to read, write or discard.
    let sectorCount: UInt64
    /// What to write.
    let data: [UInt8]
    let deadline: ContinuousClock.Instant
    /// Called once.
    let completion: @Sendable (Result<[UInt8], BlockError>) -> Void

    package init(
        serial: UInt64, operation: BlockOperation, sector: UInt64, sectorCount: UInt64,
        data: [UInt8], deadline: ContinuousClock.Instant,
        completion: @escaping @Sendable (Result<[UInt8], BlockError>) -> Void
    ) {
        self.serial = serial
        self.operation = operation
        self.sector = sector
        self.sectorCount = sectorCount
        self.data = data
        self.deadline = deadline
        self.completion = completion
    }

    var byteCount: Int { Int(sectorCount) * BlockSector.byteCount }

    /// No answer came within the deadline.
    var timeOut: BlockError {
        let isRead = operation == .read || operation == .flush
        return failure(
            .timedOut,
            "no answer in time" + (isRead ? "" : "; it may or may not have been carried out"))
    }

    func failure(_ code: BlockError.Code, _ what: String) -> BlockError {
        let name =
            switch operation {
            case .read: "read"
            case .write: "write"
            case .flush: "flush"
            default: "discard"
            }
        return BlockError(
            code: code, message: "\(name) of \(sectorCount) sectors at \(sector): \(what)")
    }
}
