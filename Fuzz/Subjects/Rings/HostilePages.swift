import WatchedMemory
import XenCore
import XenSystem

/// Shared pages whose peer writes into them between any two of our accesses, as the input says.
final class HostilePages {
    private let memory: WatchedMemory
    private let input: FuzzInput
    /// Where the peer's writes matter most, by their offsets in bytes.
    private let words: [Int]

    init(pageCount: Int, words: [Int], _ input: FuzzInput) throws(SystemFailure) {
        memory = try WatchedMemory(byteCount: pageCount * Page.byteCount)
        self.words = words
        self.input = input
    }

    var view: SharedMemory { memory.view }

    /// Our accesses so far: what is to be bounded, whatever the peer does.
    private(set) var accessCount = 0

    func attack<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try memory.watch(body) { _ in
            accessCount += 1
            if !input.isAtEnd, input.byte() & 3 == 0 { scribble() }
        }
    }

    /// Writes one word: near what is there, at an edge, or anything.
    func scribble() {
        let isIndex = input.byte() & 7 != 0
        let offset = isIndex ? words[input.number(below: words.count)] : anywhere()
        let old = memory.peer[word: offset]
        memory.peer[word: offset] =
            switch input.byte() & 3 {
            case 0: old &+ UInt32(input.byte() & 63)
            case 1: old &- UInt32(input.byte() & 63)
            case 2: [0, 1, 1 << 31, .max][input.number(below: 4)]
            default: input.word()
            }
    }

    private func anywhere() -> Int { input.number(below: memory.peer.byteCount / 4) * 4 }
}
