import Synchronization
import XenCore

/// Two threads hand a number to each other, through one word in a cache line: the least that anything between
/// two processors costs. An item is one way of the line.
func playPingPong(_ count: UInt64) throws -> Outcome {
    try play(opposite: .pingPong, in: .threads, count) { props, raise in
        try raise()
        return hit(props.memory, turn: 0, until: count)
    }
}

extension Part {
    static var pingPong: Part {
        Part(name: "ping-pong") { props, count in hit(props.memory, turn: 1, until: count) }
    }
}

/// Adds one whenever it is this player's turn.
private func hit(_ memory: SharedMemory, turn: UInt64, until count: UInt64) -> UInt64 {
    // Safe: the page stays mapped until both players are done, and the word is only accessed atomically.
    let ball = unsafe memory.baseAddress.assumingMemoryBound(to: Atomic<UInt64>.self)
    var patience = Patience()
    while true {
        let value = unsafe ball.pointee.load(ordering: .acquiring)
        if value >= count { return value }
        let isOurs = value & 1 == turn
        if isOurs { unsafe ball.pointee.store(value + 1, ordering: .releasing) }
        patience.spent(hasWorked: isOurs)
    }
}
