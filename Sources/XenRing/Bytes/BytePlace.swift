/// Where one direction's indices and bytes lie, each in bytes from the start of the pages that hold them: all
/// in which one layout of byte rings differs from another.
///
/// In each of them the producer index comes after the consumer index.
struct BytePlace: Hashable, Sendable {
    let indexOffset: Int
    let dataOffset: Int
    /// A power of two.
    let byteCount: Int
    /// Where the back tells with what it ended; nil where it has no field for this.
    var errorOffset: Int?

    /// `req`, `req_cons` and `req_prod` of `struct xenstore_domain_interface` (xen/include/public/io/xs_wire.h).
    static let xenstoreRequests = BytePlace(indexOffset: 2048, dataOffset: 0, byteCount: 1024)

    /// `rsp`, `rsp_cons` and `rsp_prod` of the same.
    static let xenstoreResponses = BytePlace(indexOffset: 2056, dataOffset: 1024, byteCount: 1024)

    /// `in`, `in_cons` and `in_prod` of `struct xencons_interface` (xen/include/public/io/console.h).
    static let consoleInput = BytePlace(indexOffset: 3072, dataOffset: 0, byteCount: 1024)

    /// `out`, `out_cons` and `out_prod` of the same.
    static let consoleOutput = BytePlace(indexOffset: 3080, dataOffset: 1024, byteCount: 2048)

    /// `in` of `DEFINE_XEN_FLEX_RING` (xen/include/public/io/ring.h): the data pages' first half.
    static func flexIn(order: Int, hasError: Bool) -> BytePlace {
        BytePlace(
            indexOffset: 0, dataOffset: 0, byteCount: 1 << (order + 11),
            errorOffset: hasError ? 8 : nil)
    }

    /// `out` of the same: the data pages' second half.
    static func flexOut(order: Int, hasError: Bool) -> BytePlace {
        BytePlace(
            indexOffset: 64, dataOffset: 1 << (order + 11), byteCount: 1 << (order + 11),
            errorOffset: hasError ? 72 : nil)
    }
}
