import StoreDaemons
import Testing

/// One table, and every server that has to answer as it says.
@Suite(.serialized, .timeLimit(.minutes(1))) struct StoreTableTests {
    @Test(arguments: StoreTable.all) func onTheCore(table: StoreTable) throws {
        var script = TableScript(on: CoreStore())
        try script.run(table.lines)
    }

    @Test(arguments: StoreTable.all) func onTheServer(table: StoreTable) throws {
        var script = TableScript(on: try WiredStore(try SocketServer()))
        try script.run(table.lines)
    }

    @Test(arguments: StoreTable.all) func overRings(table: StoreTable) throws {
        var script = TableScript(on: try WiredStore(try RingedServer()))
        try script.run(table.lines)
    }

    @Test(arguments: StoreTable.all(for: .xenstored))
    func onXenstored(table: StoreTable) throws {
        var script = TableScript(on: try WiredStore(try DaemonHost(.c)))
        try script.run(table.lines)
    }

    @Test(arguments: StoreTable.all(for: .oxenstored))
    func onOxenstored(table: StoreTable) throws {
        var script = TableScript(on: try WiredStore(try DaemonHost(.ocaml)))
        try script.run(table.lines)
    }
}
