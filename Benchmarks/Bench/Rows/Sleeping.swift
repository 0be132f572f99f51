import CSystem
import XenRing
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The same round trips by ends that sleep: the messages through two pipes, or our ring with two eventfds as
/// its doorbells.
func sleepingContenders(_ housing: Housing) -> [Contender] {
    [
        Contender(name: "pipe") { total in
            let (there, back) = (try Descriptors.pipes(), try Descriptors.pipes())
            return try play(
                opposite: .pipeAnswers, in: housing, total,
                descriptors: there.values + back.values
            ) { props, raise in
                try raise()
                return try askThroughPipes(total, props.descriptors)
            }
        },
        Contender(name: "ring and eventfd") { total in
            let (there, back) = (try Descriptors.eventfd(), try Descriptors.eventfd())
            return try play(
                opposite: .eventfdAnswers, in: housing, total,
                descriptors: there.values + back.values
            ) { props, raise in
                var front = FrontRing<BlockRequest, BlockResponse>(initializing: props.memory)
                try raise()
                return try askAsleep(total, through: &front, props.descriptors)
            }
        },
    ]
}

extension Part {
    static var pipeAnswers: Part {
        Part(name: "pipe-answers") { props, total in
            var sum: UInt64 = 0
            for _ in 0..<total {
                let request: BlockRequest = try receive(from: props.descriptors[0])
                sum &+= request.sector &+ UInt64(request.segments[10].reference)
                try send(
                    BlockResponse(id: request.id, operation: request.operation),
                    to: props.descriptors[3])
            }
            return sum
        }
    }

    static var eventfdAnswers: Part {
        Part(name: "eventfd-answers") { props, total in
            var back = BackRing<BlockRequest, BlockResponse>(attachingTo: props.memory)
            var (sum, answered): (UInt64, UInt64) = (0, 0)
            while answered < total {
                let notification = try back.serve { request in
                    answered += 1
                    sum &+= request.sector &+ UInt64(request.segments[10].reference)
                    return BlockResponse(id: request.id, operation: request.operation)
                }
                if notification == .required { try send(UInt64(1), to: props.descriptors[1]) }
                if answered < total { let _: UInt64 = try receive(from: props.descriptors[0]) }
            }
            return sum
        }
    }
}

private func askThroughPipes(_ total: UInt64, _ descriptors: [Int32]) throws -> UInt64 {
    var request = BlockRequest()
    var sum: UInt64 = 0
    for number in 0..<total {
        request.id = number
        request.sector = 8 &* number
        try send(request, to: descriptors[1])
        let response: BlockResponse = try receive(from: descriptors[2])
        sum &+= response.id &+ UInt64(response.operation)
    }
    return sum
}

private func askAsleep(
    _ total: UInt64, through front: inout FrontRing<BlockRequest, BlockResponse>,
    _ descriptors: [Int32]
) throws -> UInt64 {
    var request = BlockRequest()
    var sum: UInt64 = 0
    for number in 0..<total {
        request.id = number
        request.sector = 8 &* number
        _ = front.push(request)
        if front.publish() == .required { try send(UInt64(1), to: descriptors[0]) }
        while try front.drain({ sum &+= $0.id &+ UInt64($0.operation) }) == 0 {
            let _: UInt64 = try receive(from: descriptors[1])
        }
    }
    return sum
}

private func send<Message: BitwiseCopyable>(_ message: Message, to descriptor: Int32) throws {
    let size = MemoryLayout<Message>.stride
    // Safe: the kernel reads a private value of this size. So few bytes go through a pipe as one.
    let count = unsafe withUnsafePointer(to: message) { unsafe write(descriptor, $0, size) }
    guard count == size else { throw SystemFailure("write") }
}

private func receive<Message: BitwiseCopyable>(from descriptor: Int32) throws -> Message {
    // Safe: the kernel fills private memory of this size, and every pattern of bits is a message.
    try unsafe withUnsafeTemporaryAllocation(of: Message.self, capacity: 1) { buffer in
        let count = unsafe read(descriptor, buffer.baseAddress, MemoryLayout<Message>.stride)
        guard count == MemoryLayout<Message>.stride else { throw SystemFailure("read") }
        return unsafe buffer[0]
    }
}

/// Open for as long as this object lives.
private final class Descriptors {
    let values: [Int32]

    /// Its end to read from, and its end to write to.
    static func pipes() throws -> Descriptors {
        var ends: [Int32] = [-1, -1]
        // Safe: the kernel fills both places.
        guard unsafe pipe(&ends) == 0 else { throw SystemFailure("pipe") }
        return Descriptors(ends)
    }

    /// One that blocks.
    static func eventfd() throws -> Descriptors {
        let descriptor = csystem_eventfd()
        guard descriptor >= 0, fcntl(descriptor, F_SETFL, 0) == 0 else {
            throw SystemFailure("eventfd")
        }
        return Descriptors([descriptor])
    }

    private init(_ values: [Int32]) { self.values = values }

    deinit { for value in values { _ = close(value) } }
}
