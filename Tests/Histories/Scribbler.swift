import XenCore
import XenMock
import XenTesting

/// A hostile peer's pen: writes over what its process may write, mostly where rings have their indices.
struct Scribbler {
    private let choices: HistoryChoices

    init(_ choices: HistoryChoices) { self.choices = choices }

    func scribble(_ process: MockProcess) {
        process.withWritableMemory { parts in
            for part in parts where choices.happens("scribble", 0.7) { scribble(part) }
        }
    }

    private func scribble(_ part: SharedMemory) {
        switch choices.number("where", in: 0..<4) {
        case 0:
            // An index, near what it might be.
            let value = UInt32(truncatingIfNeeded: choices.number("index", in: -3..<40))
            part.store(
                (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) },
                at: choices.number("field", in: 0..<4) * 4)
        case 1: part.store(bytes(16), at: 0)
        case 2:
            let offset = choices.number("offset", in: 0..<part.byteCount - 64)
            part.store(bytes(64), at: offset)
        default:
            // A whole page.
            let page = choices.number("page", in: 0..<part.byteCount / Page.byteCount)
            part.store(bytes(Page.byteCount), at: page * Page.byteCount)
        }
    }

    private func bytes(_ count: Int) -> [UInt8] {
        let seed = UInt8(choices.number("byte", in: 0..<256))
        // One byte over and over, or a different one each.
        let step = UInt8(choices.number("stride", in: 0..<3))
        return (0..<count).map { seed &+ UInt8(truncatingIfNeeded: $0) &* step }
    }
}
