import Testing
import XenCore
import XenStoreClient
import XenStoreWire
import XenSystem

/// The kernel's device, which refuses writes, blocks in them, and takes one request at a time.
@Suite(.serialized, .timeLimit(.minutes(1))) struct DeviceTests {
    @Test(arguments: [ErrorNumber.exists, .inputOutput, .again])
    func whatItRefusesIsTheServersWord(number: ErrorNumber) async throws {
        let device = try XenbusDevice(watching: .refused(number))
        let store = try StoreClient(over: device.opened(), requestTimeout: .seconds(20))
        let refused = await #expect(throws: StoreError.self) { _ = try await store.watch("/a") }
        #expect(refused?.code == .refused)
        #expect(refused?.name == StoreErrorName(number))
        #expect(try await store.readString("/a") == "value")
        #expect(store.disconnection == nil)
        store.close()
    }

    @Test func whatItRefusesABlockingClientIsTheServersWord() throws {
        let device = try XenbusDevice(watching: .refused(.exists))
        let store = try BlockingStoreClient(over: device.opened(), requestTimeout: .seconds(20))
        let refused = #expect(throws: StoreError.self) { _ = try store.watch("/a") }
        #expect(refused?.name == .exists)
        let values = store.perform(contentsOf: (0..<20).map { _ in .read("/a") })
        #expect(values.allSatisfy { (try? $0.get()) == Array("value".utf8) })
        #expect(device.overlapCount == 0)
    }

    /// The device fills whatever room there is, up to the middle of a packet.
    @Test func aRefusalDoesNotComeWithinAPacket() throws {
        let device = try XenbusDevice(watching: .refused(.noSpace))
        let transport = try device.opened()
        let event = try Packet(.watchEvent, requestID: 0, payload: Array("/a/b/c/d\0t\0".utf8))
        for _ in 0..<5 { try device.say(event) }
        var parser = PacketParser()
        var buffer = [UInt8](repeating: 0, count: 40)
        try transport.wait(forWriting: false, until: .after(.seconds(20)))
        if let count = try transport.read(into: &buffer) { parser.append(buffer[..<count]) }
        let watch = try Packet(.watch, requestID: 7, payload: Array("/a\0t\0".utf8))
        #expect(try transport.write(watch.bytes, from: 0) == watch.bytes.count)
        // Time for the refusal to be there; when it comes later this shows less, and holds.
        try pause(.milliseconds(20))
        var packets: [Packet] = []
        while packets.count < 6 {
            try transport.wait(forWriting: false, until: .after(.seconds(20)))
            if let count = try transport.read(into: &buffer) { parser.append(buffer[..<count]) }
            while let packet = try parser.next() { packets.append(packet) }
        }
        #expect(packets.filter { $0.operation == .watchEvent } == Array(repeating: event, count: 5))
        let refusal = packets.first { $0.operation == .error }
        #expect(refusal?.requestID == 7 && refusal?.payload == StoreErrorName.noSpace.payload)
        transport.close()
    }

    @Test func itGetsOneRequestAtATime() async throws {
        let device = try XenbusDevice(watching: .refused(.exists))
        let store = try StoreClient(over: device.opened(), requestTimeout: .seconds(20))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let value = try await store.readString("/a")
                    #expect(value == "value")
                }
            }
            try await group.waitForAll()
        }
        #expect(device.overlapCount == 0)
        store.close()
    }

    /// As Linux in the write of a WATCH while the store is dead.
    @Test func aWriteThatDoesNotReturnHoldsUpNoDeadline() async throws {
        let device = try XenbusDevice(watching: .blocked)
        let store = try StoreClient(over: device.opened(), requestTimeout: .milliseconds(20))
        let watching = await #expect(throws: StoreError.self) { _ = try await store.watch("/a") }
        device.waitUntilHeld()
        #expect(watching?.code == .timedOut)
        let reading = await #expect(throws: StoreError.self) { _ = try await store.read("/a") }
        #expect(reading?.code == .timedOut)
        // Nor this.
        store.close()
        device.release()
    }

    @Test func aWriteThatDoesNotReturnHoldsUpNoBlockingClient() throws {
        let device = try XenbusDevice(watching: .blocked)
        let store = try BlockingStoreClient(
            over: device.opened(), requestTimeout: .milliseconds(20))
        for _ in 0..<2 {
            let late = #expect(throws: StoreError.self) { _ = try store.watch("/a") }
            #expect(late?.code == .timedOut)
        }
        device.waitUntilHeld()
        device.release()
    }

    @Test func theThreadEndsWithItsConnection() throws {
        weak var rest: XenbusDevice?
        do {
            let device = try XenbusDevice(watching: .blocked)
            rest = device
            let transport = try device.opened()
            let watch = try Packet(.watch, requestID: 1, payload: Array("/a\0t\0".utf8)).bytes
            #expect(try transport.write(watch, from: 0) == watch.count)
            device.waitUntilHeld()
            transport.close()
            device.release()
        }
        // Which keeps the device.
        let deadline = Deadline.after(.seconds(20))
        while rest != nil, !deadline.hasPassed { try pause(.milliseconds(1)) }
        #expect(rest == nil)
    }

    /// Each has a thread and a descriptor, which nobody can take back from the kernel.
    @Test func fewWritesAreLeftBehind() throws {
        var devices: [XenbusDevice] = []
        let watch = try Packet(.watch, requestID: 1, payload: Array("/a\0t\0".utf8)).bytes
        while true {
            let device = try XenbusDevice(watching: .blocked)
            let transport: any ByteTransport
            do throws(StoreError) { transport = try device.opened() } catch {
                #expect(error.code == .unavailable)
                #expect(error.message.contains("is the store alive?"))
                break
            }
            #expect(try transport.write(watch, from: 0) == watch.count)
            device.waitUntilHeld()
            #expect(try transport.write(watch, from: 0) == 0)
            transport.close()
            devices.append(device)
        }
        #expect(devices.count == 8)
        devices.forEach { $0.release() }
        // They go as soon as the kernel lets them.
        while (try? XenbusDevice(watching: .blocked).opened()) == nil {}
    }
}
