import XenRing

/// A broken ring stays broken: after its first error, each look throws that same error.
struct Steadfastness {
    private var fault: RingError?

    /// - Parameter body: looks at what the peer wrote.
    mutating func check(_ body: () throws(RingError) -> Void) {
        do throws(RingError) {
            try body()
            require(fault == nil, "a broken ring went on")
        } catch {
            require(fault == nil || fault == error, "another error than the first")
            fault = error
        }
    }
}
