import Testing
import XenCore
import XenSystem

/// Several descriptors as one, and waiting for one of two.
@Suite struct EpollTests {
    @Test func aSetIsReadableWhileOneOfItsDescriptorsIs() throws {
        let set = try Epoll()
        let first = try Wakeup()
        let second = try Wakeup()
        try set.add(first.descriptor, .readable, token: 0)
        try set.add(second.descriptor, .readable, token: 0)
        func isReadable() throws -> Bool {
            try poll([(set.descriptor, .readable)], until: .now).isReadable(0)
        }
        #expect(try !isReadable())
        first.signal()
        second.signal()
        #expect(try isReadable())
        first.reset()
        #expect(try isReadable())
        second.reset()
        #expect(try !isReadable())
    }

    @Test func addingWhatIsNotOpenOrThereAlreadyFails() throws {
        let set = try Epoll()
        let wakeup = try Wakeup()
        try set.add(wakeup.descriptor, .readable, token: 0)
        let twice = #expect(throws: SystemFailure.self) {
            try set.add(wakeup.descriptor, .readable, token: 0)
        }
        #expect(twice?.errorNumber == .exists)
        let closed = #expect(throws: SystemFailure.self) { try set.add(-1, .readable, token: 0) }
        #expect(closed?.errorNumber == .badDescriptor)
    }

    @Test func aWaitForTwoTellsThemApart() throws {
        let first = try Wakeup()
        let second = try Wakeup()
        func readable() throws -> [Bool] {
            let found = try waitUntilReadable(first.descriptor, or: second.descriptor, until: .now)
            return [found.first, found.second]
        }
        #expect(try readable() == [false, false])
        second.signal()
        #expect(try readable() == [false, true])
        first.signal()
        #expect(try readable() == [true, true])
        second.reset()
        #expect(try readable() == [true, false])
    }
}
