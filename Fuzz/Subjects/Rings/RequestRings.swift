import XenCore
import XenRing

/// A request of the size of blkif's, and a response; nothing in them is believed.
struct RequestMessage: RingMessage {
    static let byteCount = 112
    var words = InlineArray<14, UInt64>(repeating: 0)
}

struct ResponseMessage: RingMessage {
    static let byteCount = 16
    var words = InlineArray<2, UInt64>(repeating: 0)
}

/// The words of `struct <name>_sring`.
private let ringWords = [0, 4, 8, 12]

/// Our front against a back that writes whatever it likes.
func fuzzFront(_ input: FuzzInput) throws {
    let pages = try HostilePages(pageCount: 1 + input.number(below: 2), words: ringWords, input)
    var ring = FrontRing<RequestMessage, ResponseMessage>(initializing: pages.view)
    var (staged, published, taken) = (0, 0, 0)
    var stays = Steadfastness()
    pages.attack {
        while !input.isAtEnd {
            let (before, operation) = (pages.accessCount, input.byte() % 5)
            switch operation {
            case 0: staged += ring.push(RequestMessage()) ? 1 : 0
            case 1:
                published = staged
                _ = ring.publish()
            default:
                stays.check { () throws(RingError) in
                    switch operation {
                    case 2: taken += try ring.next() == nil ? 0 : 1
                    case 3: taken += try ring.drain { _ in }
                    default: taken += try ring.discardResponses()
                    }
                }
            }
            require(taken <= published, "\(taken) responses to \(published) requests")
            require((0...ring.capacity).contains(ring.freeSlotCount), "impossible room")
            require(pages.accessCount - before <= accessLimit(ring.capacity), "it never ends")
        }
    }
}

/// Our back against a front that writes whatever it likes, on a new ring or on one that is taken over.
func fuzzBack(_ input: FuzzInput) throws {
    let pages = try HostilePages(pageCount: 1 + input.number(below: 2), words: ringWords, input)
    let isTakenOver = input.byte() & 1 == 1
    for _ in 0..<input.number(below: 4) { pages.scribble() }
    var ring: BackRing<RequestMessage, ResponseMessage>
    do throws(RingError) {
        ring =
            try pages.attack { () throws(RingError) in
                isTakenOver
                    ? try BackRing(takingOver: pages.view) : BackRing(attachingTo: pages.view)
            }
    } catch {
        return  // The page cannot be a ring's: said at once, by a typed error.
    }
    var stays = Steadfastness()
    pages.attack {
        while !input.isAtEnd {
            let (before, operation) = (pages.accessCount, input.byte() % 6)
            switch operation {
            case 0 where ring.unansweredCount > 0: ring.push(ResponseMessage())
            case 0, 1: _ = ring.publish()
            default:
                stays.check { () throws(RingError) in
                    switch operation {
                    case 2: _ = try ring.next()
                    case 3: _ = try ring.drain { _ in }
                    case 4: _ = try ring.serve { _ in ResponseMessage() }
                    default: _ = try ring.hasRequests()
                    }
                }
            }
            require((0...ring.capacity).contains(ring.unansweredCount), "more than there are slots")
            require(pages.accessCount - before <= accessLimit(ring.capacity), "it never ends")
        }
    }
}

/// What one call may touch at most: each slot with its message, and the indices before and after it.
private func accessLimit(_ capacity: Int) -> Int { capacity * 64 + 64 }

/// The inspector, on a page that its two ends go on changing.
func fuzzInspection(_ input: FuzzInput) throws {
    let kind = RingKind.named[input.number(below: RingKind.named.count)]
    var bytes = [UInt8](repeating: 0, count: Page.byteCount)
    while !input.isAtEnd { bytes[input.number(below: bytes.count)] = input.byte() }
    let report = try RingInspection(bytes, kind: kind)
    require(!"\(report)".isEmpty, "nothing was said")
}
