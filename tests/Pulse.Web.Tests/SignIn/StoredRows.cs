using System.Text;
using Microsoft.Data.Sqlite;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Every row of every table of an embedded database, as committed when it was read.</summary>
internal sealed class StoredRows
{
    private readonly Dictionary<string, List<Dictionary<string, object?>>> _tables = [];

    private StoredRows()
    {
    }

    public IReadOnlyCollection<string> Tables => _tables.Keys;

    /// <summary>A table's rows: values by column, <see langword="null"/> for NULL.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, object?>> this[string table] => _tables[table];

    public static async Task<StoredRows> ReadAsync(string dataDirectory)
    {
        var rows = new StoredRows();
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(dataDirectory, "pulse.db")};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        // One transaction sees one moment, so a moving row cannot be missed.
        await using var moment = connection.BeginTransaction(deferred: true);
        foreach (var table in await QueryAsync(connection, "SELECT name FROM sqlite_schema WHERE type = 'table'"))
            rows._tables.Add((string)table["name"]!, await QueryAsync(connection, $"SELECT * FROM \"{table["name"]}\""));
        return rows;
    }

    /// <summary>The columns, as <c>table.column</c>, in which the text occurs: on its own or inside, in UTF-8 or UTF-16.</summary>
    public IReadOnlyList<string> ColumnsWith(string text) => ColumnsWith([Encoding.UTF8.GetBytes(text), Encoding.Unicode.GetBytes(text)]);

    /// <summary>The columns, as <c>table.column</c>, in which the bytes occur: as they are, in hexadecimal or in base64.</summary>
    public IReadOnlyList<string> ColumnsWith(byte[] bytes) => ColumnsWith([
        bytes,
        .. new[] { Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes), Convert.ToBase64String(bytes), System.Buffers.Text.Base64Url.EncodeToString(bytes) }
            .Select(Encoding.UTF8.GetBytes),
    ]);

    private string[] ColumnsWith(byte[][] patterns) => [.. (
        from table in _tables
        from row in table.Value
        from column in row
        let value = BytesOf(column.Value)
        where patterns.Any(pattern => value.AsSpan().IndexOf(pattern) >= 0)
        select $"{table.Key}.{column.Key}").Distinct()];

    private static byte[] BytesOf(object? value) => value as byte[] ?? Encoding.UTF8.GetBytes(FormattableString.Invariant($"{value}"));

    private static async Task<List<Dictionary<string, object?>>> QueryAsync(SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, object?>>();
        while (await reader.ReadAsync())
            rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, i => reader.IsDBNull(i) ? null : reader.GetValue(i)));
        return rows;
    }
}
