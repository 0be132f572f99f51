/// A request or a response: a plain value whose bytes in memory are its bytes on the ring.
///
/// Declare the fields in C's order, with C's widths, and the layout is C's. Two promises make it safe:
/// - Every pattern of bits is a value, since the peer chooses the bits: use integers of fixed width, and
///   structs and `InlineArray`s of them, never `Bool` or an enumeration. Validate afterwards.
/// - Padding is spelt out as fields, so that no private bytes leak to the peer.
///
/// For example, a block response (`blkif_response` in xen/include/public/io/blkif.h):
///
///     struct BlockResponse: RingMessage {
///         static let byteCount = 16
///         var id: UInt64
///         var operation: UInt8
///         var reserved: UInt8 = 0
///         var status: Int16
///         var padding: UInt32 = 0
///     }
public protocol RingMessage: BitwiseCopyable, Sendable {
    /// The size in bytes that the protocol's definition gives it, C's `sizeof`.
    /// A ring traps when it is made if the Swift value has another size.
    static var byteCount: Int { get }
}
