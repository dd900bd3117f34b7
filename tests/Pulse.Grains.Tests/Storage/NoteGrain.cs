using Orleans.Runtime;

namespace Pulse.Grains.Tests.Storage;

/// <summary>Keeps one text in Orleans' default grain storage.</summary>
[Alias("pulse.tests.INoteGrain")]
public interface INoteGrain : IGrainWithGuidCompoundKey
{
    [Alias("ReadAsync")]
    Task<string?> ReadAsync();

    [Alias("WriteAsync")]
    Task WriteAsync(string text);

    [Alias("ClearAsync")]
    Task ClearAsync();
}

[GenerateSerializer, Alias("pulse.tests.Note")]
public sealed record Note
{
    [Id(0)] public string? Text { get; set; }
}

internal sealed class NoteGrain([PersistentState("note")] IPersistentState<Note> note) : Grain, INoteGrain
{
    public Task<string?> ReadAsync() => Task.FromResult(note.State.Text);

    public Task WriteAsync(string text)
    {
        note.State.Text = text;
        return note.WriteStateAsync();
    }

    public Task ClearAsync() => note.ClearStateAsync();
}
