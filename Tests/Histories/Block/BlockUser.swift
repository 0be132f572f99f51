import BlockDevice
import Synchronization
import XenCore
import XenTesting

/// Who reads and writes the disk, over all lives of the frontend, and checks what it reads.
///
/// Of two requests in flight no two touch the same sector: then each sector's content is known but for
/// what is in doubt.
final class BlockUser {
    private struct Request {
        let operation: BlockOperation
        let sectors: Range<Int>
        /// What a write fills its sectors with; 0 for a discard.
        let stamp: UInt64
    }

    /// Endings, from wherever they are told.
    private final class Mailbox: Sendable {
        let letters = Mutex<[(number: Int, result: Result<[UInt8], BlockError>)]>([])
    }

    private unowned let stage: BlockStage
    private let ledger: RequestLedger
    private let mailbox = Mailbox()
    private var disk: ModelDisk
    private var open: [Int: Request] = [:]
    private var left: Int
    private var due: ContinuousClock.Instant

    init(stage: BlockStage, ledger: RequestLedger, requestCount: Int) {
        self.stage = stage
        self.ledger = ledger
        disk = ModelDisk(sectorCount: Int(stage.storage.sectorCount))
        left = requestCount
        due = stage.simulation.now
    }

    /// When it has its next request; nil after the last.
    var nextDue: ContinuousClock.Instant? { left > 0 ? due : nil }

    /// The disk is in lawless hands.
    func allowAnything() { disk.allowAnything() }

    // MARK: Requests

    func submit(to life: FrontendLife, _ now: ContinuousClock.Instant) throws {
        let choices = stage.simulation.choices
        while left > 0, now >= due {
            left -= 1
            due = now + .milliseconds(max(0, choices.number("pause", in: -40..<60)))
            let request = nextRequest(number: ledger.count)
            guard choices.happens("request", 1), !isBusy(request.sectors) else { continue }
            submit(request, to: life, now)
        }
        for number in open.keys.sorted() where choices.happens("cancel", 0.0005) {
            life.cancel(UInt64(number))
        }
    }

    private func isBusy(_ sectors: Range<Int>) -> Bool {
        open.values.contains { $0.sectors.overlaps(sectors) }
    }

    private func nextRequest(number: Int) -> Request {
        let choices = stage.simulation.choices
        let count = choices.number("count", in: 1..<20)
        let first = choices.number("sector", in: 0..<Int(stage.storage.sectorCount) - count)
        let sectors = first..<first + count
        switch choices.number("operation", in: 0..<20) {
        case 0..<9:
            return Request(operation: .write, sectors: sectors, stamp: UInt64(number + 1))
        case 9..<18: return Request(operation: .read, sectors: sectors, stamp: 0)
        case 18: return Request(operation: .discard, sectors: sectors, stamp: 0)
        default: return Request(operation: .flush, sectors: 0..<0, stamp: 0)
        }
    }

    private func submit(
        _ request: Request, to life: FrontendLife, _ now: ContinuousClock.Instant
    ) {
        let choices = stage.simulation.choices
        let number = ledger.begin()
        open[number] = request
        let patience: Duration =
            choices.happens("impatience", 0.03)
            ? .milliseconds(choices.number("patience", in: 1..<2000)) : .seconds(60)
        stage.simulation.note(
            "request \(number): operation \(request.operation.rawValue) on \(request.sectors)")
        life.submit(
            PendingRequest(
                serial: UInt64(number), operation: request.operation,
                sector: UInt64(request.sectors.lowerBound),
                sectorCount: UInt64(request.sectors.count),
                data: request.operation == .write
                    ? ModelDisk.bytes(of: request.stamp, sectorCount: request.sectors.count) : [],
                deadline: now + patience
            ) { [mailbox] result in
                mailbox.letters.withLock { $0.append((number, result)) }
            })
    }

    // MARK: Endings

    /// Takes what this life's requests came to.
    func takeEndings(of life: FrontendLife) throws {
        let letters = mailbox.letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
        let isLawful = !stage.isLawless && !stage.isTainted(life)
        for (number, result) in letters { try end(number, result, isLawful: isLawful) }
    }

    private func end(
        _ number: Int, _ result: Result<[UInt8], BlockError>, isLawful: Bool
    ) throws {
        let request = open.removeValue(forKey: number)
        switch result {
        case .success(let bytes):
            stage.simulation.note("request \(number) done")
            try ledger.end(number, .answered)
            guard let request else { return }
            try settle(request, bytes, isLawful: isLawful)
        case .failure(let error):
            stage.simulation.note("request \(number): \(error)")
            let isDoubtful = [.timedOut, .closed].contains(error.code)
            try ledger.end(number, isDoubtful ? .inDoubt : .failed)
            if let request { doubt(request) }
        }
    }

    private func settle(_ request: Request, _ bytes: [UInt8], isLawful: Bool) throws {
        switch request.operation {
        case .read: if isLawful { try disk.read(bytes, from: request.sectors) }
        case .write, .discard:
            if isLawful {
                disk.write(request.stamp, to: request.sectors)
            } else {
                disk.doubt(request.stamp, in: request.sectors)
            }
        default: break
        }
    }

    private func doubt(_ request: Request) {
        if request.operation == .write || request.operation == .discard {
            disk.doubt(request.stamp, in: request.sectors)
        }
    }

    /// The frontend has died with all that was open.
    func abandon() throws {
        // What was told before it died still counts, but nobody can say what of it is true.
        mailbox.letters.withLock { $0 = [] }
        for (number, request) in open.sorted(by: { $0.key < $1.key }) {
            try ledger.end(number, .inDoubt)
            doubt(request)
        }
        open = [:]
    }
}
