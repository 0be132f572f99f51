import XenRing

/// What a lane with a rule taken out remembers within one operation.
struct ByteLaneMemo {
    var looked: RingIndex?
    var hasPublished = false
    var earlyBytes: UInt32?
    var delayedStore: ((inout BytePage) -> Void)?
}

/// A direction of bytes in a model page, each access a step of its own.
struct ModelByteLane: ByteLane {
    let direction = RingDirection.request
    let capacity: UInt32
    let peerWaits: ByteRing.PeerWaits
    let stepped: Stepper<BytePage>
    var rule: ByteRule?
    /// What this end knew of the other's index before the operation.
    var known = RingIndex(0)
    /// Where the writer will put its next byte, and which; for a store that overtakes the look for room.
    var next: (index: RingIndex, byte: UInt8)?

    func observeProducer() -> RingIndex {
        if rule == .readersFinalLook, stepped.memo.hasPublished {
            return stepped.memo.looked ?? known
        }
        if rule == .acquireOfBytes {
            stepped.memo.earlyBytes = stepped.access { page in
                page.bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
        }
        return look { $0.producer }
    }

    func observeConsumer() -> RingIndex {
        if rule == .writersFinalLook, stepped.memo.hasPublished {
            return stepped.memo.looked ?? known
        }
        if rule == .acquireOfRoom, let next {
            write { $0.bytes[position(next.index)] = next.byte }
        }
        return look { $0.consumer }
    }

    func publishProducer(_ index: RingIndex) {
        publish(delayed: rule == .writersFence) { $0.producer = index.rawValue }
    }

    func publishConsumer(_ index: RingIndex) {
        publish(delayed: rule == .readersFence) { $0.consumer = index.rawValue }
    }

    func load(to destination: UnsafeMutableRawBufferPointer, at index: RingIndex) {
        if rule == .releaseOfRoom { return }
        for offset in 0..<destination.count {
            unsafe destination[offset] = byte(at: index.advanced(by: UInt32(offset)))
        }
    }

    func byte(at index: RingIndex) -> UInt8 {
        if let bytes = stepped.memo.earlyBytes {
            return UInt8(truncatingIfNeeded: bytes >> UInt32(position(index) * 8))
        }
        return UInt8(stepped.access { UInt32($0.bytes[position(index)]) })
    }

    func store(_ source: UnsafeRawBufferPointer, at index: RingIndex) {
        if rule == .releaseOfBytes { return }
        for offset in 0..<source.count {
            unsafe store(source[offset], at: index.advanced(by: UInt32(offset)))
        }
    }

    func store(_ byte: UInt8, at index: RingIndex) {
        write { $0.bytes[position(index)] = byte }
    }

    func observeError() -> Int32 { Int32(bitPattern: stepped.access { $0.error }) }

    func publishError(_ error: Int32) { write { $0.error = UInt32(bitPattern: error) } }

    private func position(_ index: RingIndex) -> Int { index.position(mask: capacity - 1) }

    private func look(_ body: (BytePage) -> UInt32) -> RingIndex {
        let index = RingIndex(stepped.access { body($0) })
        stepped.memo.looked = index
        if let store = stepped.memo.delayedStore.take() { write(store) }
        return index
    }

    private func publish(delayed: Bool, _ body: @escaping (inout BytePage) -> Void) {
        stepped.memo.hasPublished = true
        if delayed { stepped.memo.delayedStore = body } else { write(body) }
    }

    private func write(_ body: (inout BytePage) -> Void) {
        _ = stepped.access { page in
            body(&page)
            return 0
        }
    }
}
