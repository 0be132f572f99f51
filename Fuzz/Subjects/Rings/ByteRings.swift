import XenCore
import XenRing

/// Our end of the xenstore's page, client or server, beside a peer that writes whatever it likes.
func fuzzXenstorePage(_ input: FuzzInput) throws {
    let pages = try HostilePages(pageCount: 1, words: [2048, 2052, 2056, 2060], input)
    for _ in 0..<input.number(below: 4) { pages.scribble() }
    let isClient = input.byte() & 1 == 0
    var end = pages.attack {
        isClient
            ? ByteRingEnd.xenstoreClient(pages.view) : ByteRingEnd.xenstoreServer(pages.view)
    }
    exchange(through: &end, ringByteCount: 1024, pages, input)
}

/// Our back of a 9pfs or pvcalls ring: its front writes the order, too.
func fuzzFlexibleRing(_ input: FuzzInput) throws {
    let pages = try HostilePages(
        pageCount: 1, words: [0, 4, 8, 64, 68, 72, 128, 132], input)
    let references = (1...2 << input.number(below: 2)).map { GrantReference(UInt32($0)) }
    let kind = input.byte() & 1 == 0 ? FlexInterface.Kind.ninePFS : .pvCalls
    _ = FlexInterface(initializing: pages.view, as: kind, references: references)
    for _ in 0..<input.number(below: 4) { pages.scribble() }

    let interface: FlexInterface
    do throws(FlexInterfaceError) {
        interface = try pages.attack { () throws(FlexInterfaceError) in
            try FlexInterface(attachingTo: pages.view, as: kind, largestOrder: 3)
        }
    } catch {
        return  // The page cannot be a ring's: said at once, by a typed error.
    }
    require(interface.references.count == 1 << interface.order, "pages for another order")
    let data = UnsafeMutableRawBufferPointer.allocate(
        byteCount: interface.dataByteCount, alignment: Page.byteCount)
    defer { unsafe data.deallocate() }
    guard let base = data.baseAddress else { return }
    // Safe: the view and the end over it go before `data` does.
    let memory = unsafe SharedMemory(base: base, byteCount: data.count)
    memory.zero()
    var end = pages.attack { interface.back(over: memory) }
    exchange(through: &end, ringByteCount: interface.dataByteCount / 2, pages, input)
}

/// Writes and reads as the input says, and sees that each call keeps its bounds.
private func exchange(
    through end: inout ByteRingEnd, ringByteCount: Int, _ pages: HostilePages, _ input: FuzzInput
) {
    let piece = [UInt8](repeating: 7, count: 64)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(ringByteCount)
    var (writing, reading) = (Steadfastness(), Steadfastness())
    pages.attack {
        while !input.isAtEnd {
            let before = pages.accessCount
            let operation = input.byte() % 7
            let count = input.number(below: operation < 3 ? piece.count + 1 : ringByteCount)
            bytes.removeAll(keepingCapacity: true)
            switch operation {
            case 0:
                writing.check { () throws(RingError) in
                    let staged = try end.writer.stage(piece.span.extracting(first: count))
                    require((0...count).contains(staged), "\(staged) of \(count) bytes staged")
                }
            case 1:
                writing.check { () throws(RingError) in _ = try end.writer.publish() }
            case 2:
                writing.check { () throws(RingError) in
                    let room = try end.writer.room(atLeast: 1 + count)
                    require((0...ringByteCount).contains(room), "room for \(room) bytes")
                }
            case 3:
                reading.check { () throws(RingError) in
                    let taken = try end.reader.take(appendingTo: &bytes, upTo: count % 128)
                    require(taken <= count % 128 && taken == bytes.count, "\(taken) bytes taken")
                }
            case 4:
                reading.check { () throws(RingError) in
                    let available = try end.reader.available(atLeast: 1 + count)
                    require((0...ringByteCount).contains(available), "\(available) available")
                }
            case 5:
                reading.check { () throws(RingError) in _ = try end.reader.commit() }
            default:
                _ = end.writer.ending()
                reading.check { () throws(RingError) in _ = try end.reader.ending() }
            }
            require(pages.accessCount - before <= 2 * ringByteCount + 64, "it never ends")
        }
    }
}
