import Synchronization
import XenBus
import XenCore

/// What a fake device was told, in order.
final class Diary: Sendable {
    private let lines = Mutex<[String]>([])
    var entries: [String] { lines.withLock { $0 } }
    func note(_ line: String) { lines.withLock { $0.append(line) } }
}

struct DeviceFault: Error, CustomStringConvertible {
    let description: String
}

/// A frontend without rings: it writes down what it is told, and fails when the test wants it to.
final class FakeFrontend: FrontendDevice {
    let diary = Diary()
    let backendKeys = ["size"]
    private let failuresLeft: Atomic<Int>
    private let report = Mutex<@Sendable (any Error) -> Void>({ _ in })

    /// - Parameter failureCount: how often `prepare` fails before it goes well.
    init(failureCount: Int = 0) { failuresLeft = Atomic(failureCount) }

    func prepare(_ epoch: Epoch, for backend: DomainID) throws -> [String: String] {
        if failuresLeft.load(ordering: .acquiring) > 0 {
            failuresLeft.subtract(1, ordering: .acquiringAndReleasing)
            throw DeviceFault(description: "no rings today")
        }
        diary.note("prepare \(epoch.rawValue)")
        return ["ring-ref": "\(epoch.rawValue)"]
    }

    func connect(
        _ epoch: Epoch, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) {
        report.withLock { $0 = reportFailure }
        diary.note("connect \(epoch.rawValue) size \(published["size"] ?? "none")")
    }

    func retire(_ epoch: Epoch) { diary.note("retire \(epoch.rawValue)") }

    func resume() { diary.note("resume") }

    /// What the last connected epoch would report failures with.
    var reportFailure: @Sendable (any Error) -> Void { report.withLock { $0 } }
}

/// A backend without rings.
final class FakeBackend: BackendDevice {
    let diary = Diary()
    let features = ["feature-fake": "1"]
    let frontendKeys = ["ring-ref"]
    private let failuresLeft: Atomic<Int>
    private let failure: String
    private let report = Mutex<@Sendable (any Error) -> Void>({ _ in })

    init(failureCount: Int = 0, failure: String = "no room") {
        failuresLeft = Atomic(failureCount)
        self.failure = failure
    }

    func connect(
        _ epoch: Epoch, to frontend: DomainID, published: [String: String],
        reportFailure: @escaping @Sendable (any Error) -> Void
    ) throws -> [String: String] {
        if failuresLeft.load(ordering: .acquiring) > 0 {
            failuresLeft.subtract(1, ordering: .acquiringAndReleasing)
            throw DeviceFault(description: failure)
        }
        report.withLock { $0 = reportFailure }
        diary.note("connect \(epoch.rawValue) ring \(published["ring-ref"] ?? "none")")
        return ["size": "7"]
    }

    func disconnect(_ epoch: Epoch) { diary.note("disconnect \(epoch.rawValue)") }

    var reportFailure: @Sendable (any Error) -> Void { report.withLock { $0 } }
}
