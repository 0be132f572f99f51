import XenCore

/// A frontend's request from the call to its answer, over as many epochs as that takes.
///
/// It keeps what is needed to issue it again: the shadow copy.
struct PendingRequest: Sendable {
    /// Names the request for as long as it lives, in whatever slot of whatever epoch.
    let serial: UInt64
    let operation: BlockOperation
    let sector: UInt64
    /// Sectors to read, write or discard.
    let sectorCount: UInt64
    /// What to write.
    let data: [UInt8]
    let deadline: Deadline
    let continuation: CheckedContinuation<Result<[UInt8], BlockError>, Never>

    var byteCount: Int { Int(sectorCount) * BlockSector.byteCount }

    /// No answer came within the deadline.
    func timeOut() {
        let isRead = operation == .read || operation == .flush
        fail(
            .timedOut,
            "no answer in time" + (isRead ? "" : "; it may or may not have been carried out"))
    }

    func fail(_ code: BlockError.Code, _ what: String) {
        let name =
            switch operation {
            case .read: "read"
            case .write: "write"
            case .flush: "flush"
            default: "discard"
            }
        let message = "\(name) of \(sectorCount) sectors at \(sector): \(what)"
        continuation.resume(returning: .failure(BlockError(code: code, message: message)))
    }
}
