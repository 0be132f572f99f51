import XenCore
import XenRing

/// Many rings, each in a page of its own, with both their ends: as the C twin has them (`Tests/CRing/Fleet.c`).
@safe
struct Fleet: ~Copyable {
    struct Ring: ~Copyable {
        var front: FrontRing<BlockRequest, BlockResponse>
        var back: BackRing<BlockRequest, BlockResponse>
    }

    let count: Int
    // Invariant: `count` rings over as many pages, made by `init` and gone with the value.
    private let rings: UnsafeMutablePointer<Ring>
    private let pages: UnsafeMutableRawPointer

    /// - Parameter count: a power of two.
    init(count: Int) {
        let byteCount = count * Page.byteCount
        self.count = count
        unsafe pages = .allocate(byteCount: byteCount, alignment: Page.byteCount)
        unsafe rings = .allocate(capacity: count)
        let memory = unsafe SharedMemory(base: pages, byteCount: byteCount)
        for number in 0..<count {
            let page = memory.slice(offset: number * Page.byteCount, byteCount: Page.byteCount)
            let front = FrontRing<BlockRequest, BlockResponse>(initializing: page)
            let back = BackRing<BlockRequest, BlockResponse>(attachingTo: page)
            unsafe (rings + number).initialize(to: Ring(front: front, back: back))
        }
    }

    deinit {
        unsafe rings.deinitialize(count: count)
        unsafe rings.deallocate()
        unsafe pages.deallocate()
    }

    subscript(number: Int) -> Ring {
        // Safe: see the invariant; the mask keeps the number below the count.
        _read { yield unsafe rings[number & (count - 1)] }
        nonmutating _modify { yield unsafe &rings[number & (count - 1)] }
    }

    /// The ring that carries this request.
    func ring(of request: UInt64) -> Int {
        Int(truncatingIfNeeded: (request &* 0x9E37_79B1) >> 16) & (count - 1)
    }
}

extension Fleet.Ring {
    @inline(__always)
    mutating func request(_ number: UInt64, _ request: inout BlockRequest) -> PeerNotification {
        request.id = number
        request.sector = 8 &* number
        _ = front.push(request)
        return front.publish()
    }

    /// At most a round's budget.
    mutating func serve(
        atMost budget: Int, _ sum: inout UInt64
    ) throws(RingError) -> RingScheduler.Outcome {
        var left = budget
        while left > 0, let request = try back.next() {
            sum &+= request.sector &+ UInt64(request.segments[10].reference)
            back.push(BlockResponse(id: request.id, operation: request.operation))
            left -= 1
        }
        _ = back.publish()
        return left > 0 ? .emptied : .budgetUsed
    }

    /// One response, if there is one.
    mutating func take(_ sum: inout UInt64) throws(RingError) -> Bool {
        guard let response = try front.next() else { return false }
        sum &+= response.id &+ UInt64(response.operation)
        return true
    }

    mutating func reap(_ sum: inout UInt64) throws(RingError) -> Int {
        try front.drain { sum &+= $0.id &+ UInt64($0.operation) }
    }
}
