import XenRing

/// Asks for the square of a number.
struct SquareRequest: RingMessage {
    static let byteCount = 16
    var id: UInt64
    var number: UInt64
}

/// The answer, with the stamp of whoever gave it.
struct SquareResponse: RingMessage {
    static let byteCount = 24
    var id: UInt64
    var square: UInt64
    /// The epoch of the connection that the back believes in.
    var epoch: UInt32
    /// Which life of the back this is.
    var life: UInt32
}

extension SquareRequest {
    /// What an honest back answers.
    func response(epoch: UInt32, life: Int) -> SquareResponse {
        SquareResponse(
            id: id, square: number &* number, epoch: epoch, life: UInt32(truncatingIfNeeded: life))
    }
}
