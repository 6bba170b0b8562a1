# Answers tab-separated pairs with Elixir's Version.
defmodule Referee do
  def answer(line) do
    [a, b] = line |> String.split("\t") |> Enum.map(&Version.parse/1)

    with {:ok, a} <- a, {:ok, b} <- b do
      case Version.compare(a, b) do
        :lt -> "-1"
        :eq -> "0"
        :gt -> "1"
      end
    else
      :error -> "E"
    end
  end
end

answers =
  IO.binread(:stdio, :eof)
  |> String.split("\n")
  |> Enum.drop(-1)
  |> Enum.map(&Referee.answer/1)

IO.binwrite(:stdio, Enum.map(answers, &[&1, "\n"]))
