Console.WriteLine("r1");
return 0;
