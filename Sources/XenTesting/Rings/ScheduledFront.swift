import XenCore
import XenRing

/// One of many fronts. It sends a batch, and the next one when that is answered. For one thread.
final class ScheduledFront {
    typealias Ring = FrontRing<NumberedWords<4>, NumberedWords<2>>

    let port: EventPort
    private var pages: OfferedRing?
    private let bell: RingBell
    private var ring: Ring
    private let isMute: Bool
    private let total, batch: Int
    private var answeredCount = 0
    private var sentCount = 0

    /// - Parameter isMute: whether it never notifies, as no honest front does.
    init(_ half: RingHalf, isMute: Bool, _ total: Int, _ batch: Int) throws {
        let pages = try OfferedRing(half, pageCount: 1)
        // Safe: the ring is not used any more when its pages are closed.
        ring = unsafe Ring(initializing: pages.memory)
        bell = pages.bell
        port = pages.bell.port
        self.pages = consume pages
        (self.isMute, self.total, self.batch) = (isMute, total, batch)
    }

    var isDone: Bool { answeredCount == total }
    var capacity: Int { ring.capacity }

    /// The ring's bytes, copied out.
    var bytes: [UInt8] { pages?.bytes ?? [] }

    func announce() throws { try pages?.announce() }

    func close() throws { try pages.take()?.close() }

    /// Takes what has come, up to the final check, and sends the next batch if that was the last of this one.
    func goOn() throws {
        while let response = try ring.next() {
            let number = response.trafficNumber(seed: ~UInt64(port.rawValue))
            try expect("the number of an answer", number, is: answeredCount)
            answeredCount += 1
        }
        guard answeredCount == sentCount, sentCount < total else { return }
        for _ in 0..<batch {
            let request = NumberedWords<4>(
                traffic: UInt32(sentCount), seed: UInt64(port.rawValue))
            guard ring.push(request) else { break }
            sentCount += 1
        }
        let notification = ring.publish()
        if !isMute { try bell.notify(if: notification) }
    }
}
