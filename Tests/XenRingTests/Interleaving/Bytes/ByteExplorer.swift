import XenRing

/// Walks through every interleaving of a writer and a reader, one shared access at a time.
///
/// A state that was reached before is not walked again, so the walk is over all states; the interleavings
/// that lead through them are counted.
final class ByteExplorer {
    struct Setting {
        var capacity: UInt32 = 2
        var total: UInt32 = 4
        var start: UInt32 = 0
        var peerWaits = ByteRing.PeerWaits.forAny
        /// What the reader and the writer wait for.
        var wantedBytes: UInt32 = 1
        var wantedRoom = 1
        var ending = Ending.never
        var rule: ByteRule?
        var endingRule: EndingRule?
    }

    private struct State {
        var page: BytePage
        var writer: ModelByteWriter
        var reader: ModelByteReader

        var key: [UInt32] { page.key + writer.key + reader.key }
    }

    private let setting: Setting
    private let stepped: Stepper<BytePage>
    private var interleavingsFrom: [[UInt32]: Double] = [:]

    /// Ends of interleavings at which someone waits for ever.
    private(set) var lostWakeUps = 0
    /// Ends at which all is over, but not all that was published was received.
    private(set) var lostBytes = 0
    /// Ends at which a wrong byte was received.
    private(set) var wrongBytes = 0
    var stateCount: Int { interleavingsFrom.count }

    init(_ setting: Setting) {
        self.setting = setting
        stepped = Stepper(
            BytePage(
                producer: setting.start, consumer: setting.start,
                bytes: [UInt8](repeating: 0xFF, count: Int(setting.capacity))))
    }

    /// - Returns: how many interleavings there are. Throws what a ring throws.
    func run() throws -> Double {
        let lane = ModelByteLane(
            capacity: setting.capacity, peerWaits: setting.peerWaits, stepped: stepped,
            rule: setting.rule)
        let index = RingIndex(setting.start)
        // A port that was just bound rings once without reason.
        stepped.page.writerPort.ring()
        stepped.page.readerPort.ring()
        return try explore(
            State(
                page: stepped.page,
                writer: ModelByteWriter(
                    lane: lane, total: setting.total, ending: setting.ending,
                    endingRule: setting.endingRule, wanted: setting.wantedRoom,
                    producer: ByteProducer(at: index, capacity: setting.capacity), stored: index),
                reader: ModelByteReader(
                    lane: lane, ending: setting.ending, endingRule: setting.endingRule,
                    wanted: setting.wantedBytes, total: setting.total,
                    consumer: ByteConsumer(at: index), loaded: index)))
    }

    private func explore(_ state: State) throws -> Double {
        let key = state.key
        if let known = interleavingsFrom[key] { return known }
        var interleavings = 0.0
        do {
            let successors = try successors(of: state)
            if successors.isEmpty { end(at: state) }
            for successor in successors { interleavings += try explore(successor) }
        } catch is WrongMessage {
            wrongBytes += 1
        }
        interleavings = max(interleavings, 1)
        interleavingsFrom[key] = interleavings
        return interleavings
    }

    private func successors(of state: State) throws -> [State] {
        stepped.page = state.page
        let writers = try state.writer.steps(stepped)
        let afterWriter = stepped.page
        stepped.page = state.page
        let readers = try state.reader.steps(stepped)
        let afterReader = stepped.page
        return writers.map { State(page: afterWriter, writer: $0, reader: state.reader) }
            + readers.map { State(page: afterReader, writer: state.writer, reader: $0) }
            + crashes(of: state)
    }

    /// A crash takes no time: the toolstack says so, and the survivor's port rings, or is masked just then.
    private func crashes(of state: State) -> [State] {
        guard !state.page.isDown else { return [] }
        return [false, true].compactMap { isInVain in
            var state = state
            state.page.isDown = true
            switch setting.ending {
            case .writerCrashes:
                state.writer.phase = .crashed
                state.page.readerPort.ring(isInVain: isInVain)
            case .readerCrashes:
                state.reader.phase = .crashed
                state.page.writerPort.ring(isInVain: isInVain)
            case .never, .byWriter, .byReader: return nil
            }
            return state
        }
    }

    /// Nobody has anything left to do: is that right?
    private func end(at state: State) {
        let writerIsDone = state.writer.phase == .finished || state.writer.phase == .crashed
        let readerIsDone = state.reader.phase == .finished || state.reader.phase == .crashed
        let published = state.page.producer &- setting.start
        let isComplete = state.reader.received == published
        let mayWait = setting.ending == .never && isComplete
        if !writerIsDone || !(readerIsDone || mayWait) {
            lostWakeUps += 1
        } else if !isComplete, setting.ending == .byWriter || setting.ending == .writerCrashes {
            lostBytes += 1
        }
    }
}
