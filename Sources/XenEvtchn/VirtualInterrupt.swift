/// An interrupt that the hypervisor itself raises (VIRQ).
///
/// The numbers are those of `enum virq` in xen/include/public/xen.h.
public struct VirtualInterrupt: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `VIRQ_TIMER`, which Linux takes for itself.
    public static let timer = VirtualInterrupt(rawValue: 0)
    /// `VIRQ_DEBUG`: somebody asks the domain to dump its state. Linux takes it for itself.
    public static let debug = VirtualInterrupt(rawValue: 1)
    /// `VIRQ_CONSOLE`: the emergency console has received bytes.
    public static let console = VirtualInterrupt(rawValue: 2)
    /// `VIRQ_DOM_EXC`: a domain was created, has shut down, crashed or died. xenstored takes it.
    public static let domainException = VirtualInterrupt(rawValue: 3)
    /// `VIRQ_TBUF`: the trace buffer has records.
    public static let traceBuffer = VirtualInterrupt(rawValue: 4)
    /// `VIRQ_DEBUGGER`: a domain has paused for debugging.
    public static let debugger = VirtualInterrupt(rawValue: 6)
    /// `VIRQ_XENOPROF`: the profiler has a sample.
    public static let profiler = VirtualInterrupt(rawValue: 7)
    /// `VIRQ_CON_RING`: the console ring has received bytes.
    public static let consoleRing = VirtualInterrupt(rawValue: 8)
    /// `VIRQ_PCPU_STATE`: a physical processor went on or off line.
    public static let processorState = VirtualInterrupt(rawValue: 9)
    /// `VIRQ_MEM_EVENT`: something happened to a domain's memory.
    public static let memoryEvent = VirtualInterrupt(rawValue: 10)
    /// `VIRQ_ARGO`: an Argo message has arrived.
    public static let argo = VirtualInterrupt(rawValue: 11)
    /// `VIRQ_ENOMEM`: the hypervisor's heap is nearly used up.
    public static let lowMemory = VirtualInterrupt(rawValue: 12)
    /// `VIRQ_XENPMU`: a performance counter has overflowed.
    public static let performanceCounter = VirtualInterrupt(rawValue: 13)

    /// `VIRQ_ARCH_0` to `VIRQ_ARCH_7`, which each processor architecture uses as it likes.
    public static func architecture(_ index: Int) -> VirtualInterrupt {
        precondition((0..<8).contains(index), "there are eight of them")
        return VirtualInterrupt(rawValue: 16 + UInt32(index))
    }

    /// `NR_VIRQS`: no interrupt has this number or a greater one.
    public static let count: UInt32 = 24

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension VirtualInterrupt {
    /// Who may bind an interrupt, and how often.
    public enum Scope: Hashable, Sendable {
        /// Once for each virtual processor of each domain. Linux's device binds it on the first.
        case processor
        /// Once in each domain.
        case domain
        /// Once on the machine, by the domain that handles it: dom0, unless the toolstack chose another.
        case global
    }

    /// What Xen says of this number (`get_virq_type()` in xen/common/event_channel.c). Nil for no interrupt's number.
    public var scope: Scope? {
        switch self {
        case .timer, .debug, .profiler, .performanceCounter: .processor
        case .argo: .domain
        default: rawValue < Self.count ? .global : nil
        }
    }
}

extension VirtualInterrupt: CustomStringConvertible {
    private static let names: [VirtualInterrupt: String] = [
        .timer: "TIMER", .debug: "DEBUG", .console: "CONSOLE", .domainException: "DOM_EXC",
        .traceBuffer: "TBUF", .debugger: "DEBUGGER", .profiler: "XENOPROF",
        .consoleRing: "CON_RING", .processorState: "PCPU_STATE", .memoryEvent: "MEM_EVENT",
        .argo: "ARGO", .lowMemory: "ENOMEM", .performanceCounter: "XENPMU",
    ]

    /// Xen's name, as in `VIRQ_TIMER`.
    public var description: String {
        if let name = Self.names[self] { return "VIRQ_\(name)" }
        return (16..<Self.count).contains(rawValue)
            ? "VIRQ_ARCH_\(rawValue - 16)" : "VIRQ \(rawValue)"
    }
}
